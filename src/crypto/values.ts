// Ids, versions and the encoding of bytes. Web Crypto and nothing else, so it runs wherever Workers do.

/** 256 bits: OWASP ASVS 5.0 (7.2.3) asks for 128 at least, from a cryptographic generator. */
const VALUE_BYTES = 32

/** 96 bits: no two isolates draw the same. */
const PREFIX_BYTES = 12

/** 32 bytes in base64url: 43 characters, and the last one carries four bits, so that only 16 of 64 are canonical. */
const VALUE_SHAPE = /^[\w-]{42}[AEIMQUYcgkosw048]$/

const encoder = new TextEncoder()

/** The bytes of a string, as Web Crypto takes them. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text) as Uint8Array<ArrayBuffer>
}

/** A fresh cookie value that nobody can guess. */
export function randomValue(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(VALUE_BYTES)))
}

/** The prefix of this isolate's versions. Drawn with the first one: there is no randomness at module load. */
let versionPrefix: string | undefined

/** Versions made in this isolate. */
let versions = 0

/**
 * A record version that no other write has: the isolate's random prefix, and a count. A version twice would be a conflict
 * that nobody notices. See docs/decisions/09-versions.md.
 */
export function freshVersion(): string {
  versionPrefix ??= base64url(crypto.getRandomValues(new Uint8Array(PREFIX_BYTES)))
  return `${versionPrefix}.${versions++}`
}

/** Could `randomValue` have made it, or `idOf`? Only the canonical spelling counts. */
export function isValueShaped(value: unknown): value is string {
  return typeof value === 'string' && VALUE_SHAPE.test(value)
}

/** The key under which a store keeps a session. Whoever knows it still does not know the cookie value. */
export async function idOf(value: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(value))))
}

/** The runtime's own encoder, where it has one (workerd; Node from 25 on). */
interface Encodable {
  toBase64?(options: { alphabet: 'base64url'; omitPadding: true }): string
}

/** RFC 4648, section 5, without padding. */
export function base64url(bytes: Uint8Array & Encodable): string {
  if (bytes.toBase64) return bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** RFC 4648, table 2. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The value of each ASCII character in base64url; -1: none. */
const DIGITS = Int8Array.from({ length: 128 }, (_, code) =>
  ALPHABET.indexOf(String.fromCharCode(code)),
)

/** The bytes of a canonical spelling, or `undefined`. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array((text.length * 6) >> 3)
  let length = 0
  let bits = 0
  let pending = 0
  for (let i = 0; i < text.length; i++) {
    const digit = DIGITS[text.charCodeAt(i)] ?? -1
    if (digit < 0) return undefined
    pending = (pending << 6) | digit
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[length++] = pending >> bits
    }
  }
  // A whole digit too many, or bits that belong to no byte.
  const isCanonical = bits < 6 && (pending & ((1 << bits) - 1)) === 0
  return isCanonical ? bytes : undefined
}

/** Bytes of UTF-8, or more than `limit` without counting on. */
export function utf8Length(text: string, limit: number): number {
  if (text.length > limit || text.length * 3 <= limit) return text.length
  return utf8(text).length
}
