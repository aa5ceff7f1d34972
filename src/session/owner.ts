// An owner and a device go into indexes and keys of every backend, so both are held to what all of them can take.

/** Longest owner and device, in bytes of UTF-8. Every backend can index so many. */
const MAX_BYTES = 255

/** @throws TypeError unless `owner` is 1 to 255 bytes of UTF-8 without NUL. */
export function checkOwner(owner: unknown, method: string): asserts owner is string {
  if (isLabel(owner)) return
  throw new TypeError(
    `${method}() takes an owner of 1 to ${MAX_BYTES} bytes of UTF-8 without NUL. If your ids are numbers, pass String(user.id).`,
  )
}

/** @throws TypeError unless `device` is left out, or 1 to 255 bytes of UTF-8 without NUL. */
export function checkDevice(device: unknown): asserts device is string | undefined {
  if (device === undefined || isLabel(device)) return
  throw new TypeError(
    `signIn() takes a device of 1 to ${MAX_BYTES} bytes of UTF-8 without NUL, such as 'Firefox on Linux'. Shorten it, or leave it out.`,
  )
}

/** NUL ends a string in some backends, and half a surrogate pair is not UTF-8. */
function isLabel(value: unknown): boolean {
  const isSound =
    typeof value === 'string' && value !== '' && !value.includes('\0') && value.isWellFormed()
  return isSound && new TextEncoder().encode(value).length <= MAX_BYTES
}
