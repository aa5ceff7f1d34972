// Secrets are checked hard, because a weak one fails silently: everything works, for an attacker as well. Keys are derived
// once per isolate and kept as plain values.

import { isMonotonous, isPlaceholder } from './placeholder.ts'
import { fromBase64url, utf8 } from './values.ts'

/** As long as what is derived from it: HKDF does not stretch a weak secret (RFC 5869, section 4). */
const MIN_SECRET_BYTES = 32

/** Bytes that name a derived key. They are public: they say which secret was used, and nothing about it. */
const KEY_ID_BYTES = 4

/** Secrets that this repository has shown: in the playground, the benchmark and the tests of the first edition. */
const PUBLISHED: ReadonlySet<string> = new Set([
  'vY0sJm3Qh7tKx1LwZc8RbNf5GpDa2UeT-playground',
  'q1Jw0Zr8mYb5cVx2NkT7hGf4sLd9eUaP3oRi6tWyXzE=',
  'Jd7hFc5gTn1uKa0eQx3iPpq8vXk2mZt6',
])

/**
 * Checks secrets, newest first. Throws a `TypeError` that shows none of them for one that is missing, shorter than 32 bytes
 * of UTF-8, monotonous, a placeholder, or published with this library.
 */
export function checkSecrets(secrets: unknown, option: string): readonly [string, ...string[]] {
  const [newest, ...older]: unknown[] = Array.isArray(secrets) ? secrets : [secrets]
  return [checkSecret(newest, option), ...older.map((secret) => checkSecret(secret, option))]
}

function checkSecret(secret: unknown, option: string): string {
  if (typeof secret !== 'string') throw refuse(option, 'is missing or not a string')
  if (sound.has(secret)) return secret
  const fault = faultOf(secret)
  if (fault) throw refuse(option, fault)
  // A store may be made for every request, with the same secrets each time.
  setBounded(sound, secret, true, MAX_KNOWN)
  return secret
}

/** The fault of a secret, as the end of a sentence that does not show it. */
function faultOf(secret: string): string | undefined {
  if (secret === '') return 'is empty'
  if (utf8(secret).length < MIN_SECRET_BYTES) return `is shorter than ${MIN_SECRET_BYTES} bytes`
  if (PUBLISHED.has(secret)) return 'has been published with this library'
  if (isMonotonous(secret)) return 'repeats a few characters or is a sequence'
  if (isPlaceholder(secret)) return 'is a placeholder'
  if (decodings(secret).some(isWeakText)) return 'encodes bytes that are not random'
  return undefined
}

/** A secret decoded from hex and from base64, where it can be: one character for each byte. */
function decodings(secret: string): string[] {
  const hex = /^(?:[\da-f]{2})+$/i.test(secret) ? secret.match(/../g) : undefined
  const decoded = [
    hex?.map((pair) => Number.parseInt(pair, 16)),
    fromBase64url(secret.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')),
  ]
  return decoded.flatMap((bytes) => (bytes ? [Array.from(bytes, toChar).join('')] : []))
}

const toChar = (byte: number): string => String.fromCharCode(byte)

/** Random bytes are not printable text, so only text can be a placeholder. */
function isWeakText(text: string): boolean {
  return isMonotonous(text) || (/^[ -~]+$/.test(text) && isPlaceholder(text))
}

function refuse(option: string, fault: string): TypeError {
  return new TypeError(
    `${option}: a secret ${fault}. Make one with \`openssl rand -base64 32\` and keep it with \`wrangler secret put\`, or in \`.dev.vars\` on your machine.`,
  )
}

/** The purpose of a key. Each has keys of its own, so that no value of one passes for another's. */
type Purpose = 'seal' | 'signature' | 'key id'

/** A `CryptoKey`, by whichever name the runtime's types know it. */
export type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** Everything derived from one secret. Values, never promises: a promise that belongs to another request hangs (workerd#210). */
export interface SecretKeys {
  /** Says which secret was used. */
  readonly id: Uint8Array<ArrayBuffer>
  /** Where the keys of seals are derived from. */
  readonly base: Key
  /** HMAC-SHA-256. */
  readonly signature: Key
  /** The keys of seals that have opened, by salt. A forged one leaves nothing behind. */
  readonly opened: Map<string, Key>
  /** The key that this isolate seals with now. Drawn at the first seal, because there is no randomness at module load. */
  sealing: SealingKey | undefined
}

/** A key and the salt that it was derived with. */
export interface SealingKey {
  readonly salt: Uint8Array<ArrayBuffer>
  readonly key: Key
  /** How many seals it has made. */
  seals: number
}

/** Enough for every secret of every middleware in an isolate. */
const MAX_KNOWN = 32

const known = new Map<string, SecretKeys>()

/** Secrets that have passed the check; those of a list that open nothing never get keys. */
const sound = new Map<string, true>()

/** The keys of a secret that has passed `checkSecrets`. Derived once per isolate. */
export function keysOf(secret: string): SecretKeys | Promise<SecretKeys> {
  return known.get(secret) ?? deriveKeys(secret)
}

/** All keys of one secret. HKDF gives independent keys for different purposes (RFC 5869, section 3.2). */
async function deriveKeys(secret: string): Promise<SecretKeys> {
  const base = await crypto.subtle.importKey('raw', utf8(secret), 'HKDF', false, [
    'deriveBits',
    'deriveKey',
  ])
  const none = new Uint8Array(0)
  const id = await crypto.subtle.deriveBits(derivation('key id', none), base, KEY_ID_BYTES * 8)
  const signature = await crypto.subtle.deriveKey(
    derivation('signature', none),
    base,
    { name: 'HMAC', hash: 'SHA-256', length: 256 },
    false,
    ['sign', 'verify'],
  )
  const keys: SecretKeys = {
    id: new Uint8Array(id),
    base,
    signature,
    opened: new Map(),
    sealing: undefined,
  }
  setBounded(known, secret, keys, MAX_KNOWN)
  return keys
}

/** Puts a value in a map that holds so many of the latest. */
export function setBounded<T>(latest: Map<string, T>, name: string, value: T, limit: number): void {
  for (const oldest of latest.keys()) {
    if (latest.size < limit) break
    latest.delete(oldest)
  }
  latest.set(name, value)
}

/** The parameters of HKDF as Web Crypto takes them. */
interface Derivation {
  readonly name: 'HKDF'
  readonly hash: 'SHA-256'
  readonly salt: Uint8Array<ArrayBuffer>
  readonly info: Uint8Array<ArrayBuffer>
}

/** HKDF-SHA-256 (RFC 5869), with the purpose and its format version as `info`. */
export function derivation(purpose: Purpose, salt: Uint8Array<ArrayBuffer>): Derivation {
  const info = utf8(`isolate-session ${purpose} v1`)
  return { name: 'HKDF', hash: 'SHA-256', salt, info }
}
