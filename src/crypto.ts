/** 256 bits: OWASP ASVS 5.0 (7.2.3) asks for 128 at least, from a cryptographic generator. */
const VALUE_BYTES = 32

/** 96 bits: two writes of one session never draw the same. */
const VERSION_BYTES = 12

/** 32 bytes in base64url: 43 characters, and the last one carries four bits, so that only 16 of 64 are canonical. */
const VALUE_SHAPE = /^[\w-]{42}[AEIMQUYcgkosw048]$/

const encoder = new TextEncoder()

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text) as Uint8Array<ArrayBuffer>
}

/** A fresh cookie value that nobody can guess. */
export function randomValue(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(VALUE_BYTES)))
}

/** A fresh record version. */
export function randomVersion(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(VERSION_BYTES)))
}

/** Could `randomValue` have made it, or `idOf`? Only the canonical spelling counts. */
export function isValueShaped(value: string): boolean {
  return VALUE_SHAPE.test(value)
}

/** What a store keeps a session under: knowing it, one still cannot name the cookie value. */
export async function idOf(value: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(value))))
}

/** RFC 4648, section 5, without padding. */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** The bytes of a canonical spelling, or `undefined`. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    )
    return base64url(bytes) === text ? bytes : undefined
  } catch {
    return undefined
  }
}

/** Bytes of UTF-8, or more than `limit` without counting on. */
export function utf8Length(text: string, limit: number): number {
  if (text.length > limit || text.length * 3 <= limit) return text.length
  return utf8(text).length
}
