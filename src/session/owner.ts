/** Longest owner, in bytes of UTF-8: what every backend can index. */
const MAX_OWNER_BYTES = 255

/** @throws TypeError unless `owner` is 1 to 255 bytes of UTF-8 without NUL. */
export function checkOwner(owner: unknown, method: string): asserts owner is string {
  const sound =
    typeof owner === 'string' && owner !== '' && !owner.includes('\0') && owner.isWellFormed()
  if (sound && new TextEncoder().encode(owner).length <= MAX_OWNER_BYTES) return
  throw new TypeError(
    `${method}() takes an owner of 1 to ${MAX_OWNER_BYTES} bytes of UTF-8 without NUL. If your ids are numbers, pass String(user.id).`,
  )
}
