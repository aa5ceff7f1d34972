import { utf8 } from './crypto.js'

/** As long as what is derived from it: HKDF does not stretch a weak secret (RFC 5869, section 4). */
const MIN_SECRET_BYTES = 32

/** Bytes that name a derived key. They are public: they say which secret was used, and nothing about it. */
const KEY_ID_BYTES = 4

/** Words out of which the examples of this world make their secrets, once or over and over. */
const PLACEHOLDER =
  /^(?:changeme|changethis|secret|mysecret|yoursecret|yoursecretkey|supersecret|password|passw0rd|keyboardcat|placeholder|replaceme|example|default|insecure|development|12345678)+$|^(?:1234567890)+\d*$/

/** What the documentation of well-known libraries shows, and people leave there. */
const PUBLISHED: ReadonlySet<string> = new Set([
  'complexpasswordatleast32characterslong',
  'passwordatleast32characterslong',
  'passwordmustbeatleast32characterslong',
  'yoursecretkeyatleast32characterslong',
  'yoursupersecretkeyatleast32characterslong',
  'thisisasecretvaluewithatleast32characters',
  'changemetoarandomstringofatleast32characters',
])

/**
 * Checks secrets, newest first. Throws a `TypeError` that shows none of them for one that is missing, empty, shorter than
 * 32 bytes of UTF-8, one character over and over, or a well-known placeholder.
 */
export function checkSecrets(secrets: unknown, option: string): readonly [string, ...string[]] {
  const [newest, ...older]: unknown[] = Array.isArray(secrets) ? secrets : [secrets]
  return [checkSecret(newest, option), ...older.map((secret) => checkSecret(secret, option))]
}

function checkSecret(secret: unknown, option: string): string {
  if (typeof secret === 'string' && known.has(secret)) return secret
  if (typeof secret !== 'string') throw refuse(option, 'is missing, or not text')
  if (utf8(secret).length < MIN_SECRET_BYTES) {
    throw refuse(option, `is shorter than ${MIN_SECRET_BYTES} bytes`)
  }
  if (new Set(secret).size === 1) throw refuse(option, 'is one character over and over')
  const words = secret.toLowerCase().replace(/[^a-z0-9]/g, '')
  if (PLACEHOLDER.test(words) || PUBLISHED.has(words))
    throw refuse(option, 'is a well-known placeholder')
  return secret
}

function refuse(option: string, fault: string): TypeError {
  return new TypeError(
    `${option}: a secret ${fault}. Make one with \`openssl rand -base64 32\` and keep it with \`wrangler secret put\`.`,
  )
}

/** What a secret is used for. Each purpose has keys of its own, so that no value of one passes for another's. */
type Purpose = 'seal' | 'signature' | 'key id'

/** A `CryptoKey`, by whichever name the runtime's types know it. */
export type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** What is derived from one secret. Values, never promises: a promise that belongs to another request hangs (workerd#210). */
export interface SecretKeys {
  /** Says which secret was used. */
  readonly id: Uint8Array<ArrayBuffer>
  /** Where a seal's own key is derived from. */
  readonly base: Key
  /** HMAC-SHA-256. */
  readonly signature: Key
  /** The keys of the latest seals, by salt: most cookies come back soon after they were sent. */
  readonly seals: Map<string, Key>
}

/** Enough for every secret of every middleware in an isolate. */
const MAX_KNOWN = 32

const known = new Map<string, SecretKeys>()

/** The keys of a secret that has passed `checkSecrets`. Derived once per isolate. */
export function keysOf(secret: string): SecretKeys | Promise<SecretKeys> {
  return known.get(secret) ?? deriveKeys(secret)
}

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
  const keys = { id: new Uint8Array(id), base, signature, seals: new Map() }
  keep(known, secret, keys, MAX_KNOWN)
  return keys
}

/** Puts a value in a map that holds so many of the latest. */
export function keep<T>(latest: Map<string, T>, name: string, value: T, limit: number): void {
  for (const oldest of latest.keys()) {
    if (latest.size < limit) break
    latest.delete(oldest)
  }
  latest.set(name, value)
}

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
