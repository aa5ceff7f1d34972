// The format of a sealed cookie. It is fixed by golden vectors in test/golden: a change of it would sign everybody out.

import {
  derivation,
  type Key,
  keysOf,
  type SealingKey,
  type SecretKeys,
  setBounded,
} from './secrets.ts'
import { base64url, fromBase64url, utf8 } from './values.ts'

/** The first byte of a seal. Anything else is no seal: there is no second decoder. */
const VERSION = 1

/** Which secret it was made with: a few bytes derived from it, which say nothing about it. */
const ID_BYTES = 4
/** 128 bits, so that no two isolates draw the same. */
const SALT_BYTES = 16
/** 96 bits, the length AES-GCM is made for (NIST SP 800-38D, section 8.2). */
const IV_BYTES = 12
/** The longest tag that AES-GCM has. */
const TAG_BITS = 128

const IV_AT = 1 + ID_BYTES + SALT_BYTES
const TEXT_AT = IV_AT + IV_BYTES

/** The purpose of the header: a value that was made for something else does not open. */
const CONTEXT = utf8('isolate-session seal')

/**
 * How many seals are made with one salt, and so with one key. NIST SP 800-38D, section 8.3, allows 2³² messages for a key
 * with random IVs, where two share an IV with a probability of 2⁻³²; for 2²⁰ it is 2⁻⁵⁷.
 */
const MAX_SEALS = 2 ** 20

/** A key takes a few hundred bytes, and there is one for each isolate whose cookies come back. */
const MAX_KEPT = 1000

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type Bytes = Uint8Array<ArrayBuffer>

/** Random bytes for one seal; a test may give its own. */
export interface SealRandomness {
  readonly salt: Bytes
  readonly iv: Bytes
}

/**
 * Encrypts and authenticates a string: `base64url(version ‖ key id ‖ salt ‖ iv ‖ AES-256-GCM)`.
 *
 * The IV is random for every seal. The salt, from which the key is derived, is this isolate's for the next million seals.
 */
export async function seal(
  text: string,
  secret: string,
  randomness?: SealRandomness,
): Promise<string> {
  const keys = await keysOf(secret)
  const { salt, key } = randomness
    ? { salt: randomness.salt, key: await deriveKey(keys, randomness.salt) }
    : (currentKey(keys) ?? (await freshKey(keys)))
  const iv = randomness?.iv ?? crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const header = concat(Uint8Array.of(VERSION), keys.id, salt, iv)
  const sealed = await crypto.subtle.encrypt(parameters(header), key, utf8(text))
  return base64url(concat(header, new Uint8Array(sealed)))
}

/** The key of this isolate, until it has made as many seals as one key may. */
function currentKey({ sealing }: SecretKeys): SealingKey | undefined {
  if (!sealing || sealing.seals >= MAX_SEALS) return undefined
  sealing.seals++
  return sealing
}

/** Requests that come at once may draw one each; the last one stays. */
async function freshKey(keys: SecretKeys): Promise<SealingKey> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES))
  const key = await deriveKey(keys, salt)
  setBounded(keys.opened, base64url(salt), key, MAX_KEPT)
  keys.sealing = { salt, key, seals: 1 }
  return keys.sealing
}

/** The content of a seal and the secret that opened it. `undefined` for any seal that does not open, whatever the reason. */
export async function unseal(
  value: string,
  secrets: readonly string[],
): Promise<{ text: string; secret: string } | undefined> {
  const bytes = fromBase64url(value)
  if (bytes?.[0] !== VERSION || bytes.length < TEXT_AT) return undefined
  const header = bytes.subarray(0, TEXT_AT)
  for (const secret of secrets) {
    const keys = await keysOf(secret)
    // AES-GCM does not commit to a key, so the key is chosen by its id and never by trial.
    if (!keys.id.every((byte, i) => byte === header[1 + i])) continue
    const salt = header.subarray(1 + ID_BYTES, IV_AT)
    const name = base64url(salt)
    const kept = keys.opened.get(name)
    try {
      const key = kept ?? (await deriveKey(keys, salt))
      const text = await crypto.subtle.decrypt(parameters(header), key, bytes.subarray(TEXT_AT))
      // Only now: forged seals with salts of their own would push out the keys of real visitors.
      if (!kept) setBounded(keys.opened, name, key, MAX_KEPT)
      return { text: decoder.decode(text), secret }
    } catch {
      return undefined
    }
  }
  return undefined
}

/** The whole header is authenticated with the text. */
function parameters(header: Bytes): {
  name: 'AES-GCM'
  iv: Bytes
  additionalData: Bytes
  tagLength: number
} {
  const additionalData = concat(CONTEXT, header)
  return { name: 'AES-GCM', iv: header.subarray(IV_AT), additionalData, tagLength: TAG_BITS }
}

/** One key for each salt, so that no isolate uses up the messages of another. */
function deriveKey({ base }: SecretKeys, salt: Bytes): Promise<Key> {
  return crypto.subtle.deriveKey(
    derivation('seal', salt),
    base,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
}

/** One buffer of several, as Web Crypto takes it. */
function concat(...parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
