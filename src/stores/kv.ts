/**
 * @module isolate-session/kv
 */

import { isValueShaped } from '../crypto/values.ts'
import { checkOptions } from '../options/check-options.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { KeyedStore, type KeyedStoreOptions } from '../storage/keyed-store.ts'
import { answerNotUnderstood, checkBinding, checkClient, type Lookalike } from './shared/client.ts'
import { withoutData } from './shared/error-redaction.ts'
import { checkPrefix } from './shared/prefix.ts'

export type { KeyedStore, KeyedStoreOptions } from '../storage/keyed-store.ts'

/** The subset of a `KVNamespace` that `KVStore` uses. */
export interface KVClient {
  /** As `KVNamespace.get`. */
  get(key: string): Promise<string | null>
  /** As `KVNamespace.put`. */
  put(key: string, value: string, options?: { expirationTtl?: number }): Promise<void>
  /** As `KVNamespace.delete`. */
  delete(key: string): Promise<void>
  /** As `KVNamespace.list`. */
  list(options: {
    prefix: string
    cursor?: string
  }): Promise<{ keys: { name: string }[]; list_complete: boolean; cursor?: string }>
}

/** The options of `KVStore`. */
export interface KVStoreOptions extends KeyedStoreOptions {
  /** Default `'session:'`. */
  readonly prefix?: string
}

/** Shortest time to live that KV takes, in seconds: https://developers.cloudflare.com/kv/api/write-key-value-pairs/ */
const MIN_TTL = 60

/** KV takes one write a second to one key: https://developers.cloudflare.com/kv/platform/limits/ */
const WRITE_INTERVAL = 1000

/** Longest time to live that KV takes, in seconds: 68 years. What lives longer stays until then. */
const MAX_TTL = 2 ** 31 - 1

/** How KV says that one key is written too often. */
const TOO_MANY = /\b429\b|too many requests/i

const LOOKALIKES: readonly Lookalike[] = [
  { matches: ({ head }) => typeof head === 'function', advice: 'this is an R2 bucket.' },
  {
    matches: ({ transaction }) => typeof transaction === 'function',
    advice: 'this is the storage of a Durable Object: DurableObjectStore takes a namespace.',
  },
]

/**
 * Sessions in Workers KV.
 *
 * **KV has no conditional write and is eventually consistent.** A change, a sign-out or a revocation may be seen elsewhere
 * only after 60 seconds or more. Of two requests that write at once, one is lost, also if they change different keys. A
 * session that ended is brought back by a request that was still running and writes. It cannot find sessions by owner. Use
 * it for what is read a lot, written rarely, and may be late.
 *
 * Expiry is checked from the record, so a session ends on time although KV keeps nothing for less than 60 seconds.
 *
 * @throws TypeError for a prefix that KV would not take, for a missing binding, and for what is no `KVNamespace`.
 */
export class KVStore extends KeyedStore {
  /** KV cannot find sessions by owner. */
  declare sessionsOf?: never
  /** KV cannot find sessions by owner, so it cannot sign somebody out everywhere. */
  declare destroySessionsOf?: never
  /** KV cannot find sessions by owner. */
  declare destroySessionById?: never

  readonly #kv: KVClient
  readonly #prefix: string

  /**
   * Sessions in a KV namespace. Read what KV cannot promise, at the class, before you choose it.
   *
   * @throws TypeError for a prefix that KV would not take, for a missing binding, and for what is no `KVNamespace`.
   */
  constructor(kv: KVClient, options?: KVStoreOptions) {
    const { prefix = 'session:', ...rest } = checkOptions('KVStore', options)
    super(rest)
    checkBinding(kv, 'KVStore', 'kv_namespaces', 'KV')
    checkClient(kv, 'KVStore takes a KVNamespace', isNamespace, LOOKALIKES)
    this.#kv = kv
    this.#prefix = checkPrefix(prefix)
  }

  /** @inheritDoc */
  override get cacheName(): string {
    return `kv ${this.#prefix}`
  }

  /** @inheritDoc */
  protected async read(id: string): Promise<SessionRecord | undefined> {
    const text: unknown = await this.#kv.get(this.#prefix + id).catch(rethrow(id))
    if (text === null) return undefined
    if (typeof text === 'string') return parse(text)
    throw answerNotUnderstood('something that is no text')
  }

  /** Without a look: KV remembers that a key was absent, and would go on saying so. 256 random bits are not taken. */
  protected async insert(id: string, record: SessionRecord): Promise<boolean> {
    await this.#put(id, record)
    return true
  }

  /** @inheritDoc */
  protected async replace(id: string, record: SessionRecord): Promise<boolean> {
    await this.#put(id, record)
    return true
  }

  /** @inheritDoc */
  protected async remove(id: string): Promise<boolean> {
    await this.#kv.delete(this.#prefix + id).catch(rethrow(id))
    return true
  }

  /** @inheritDoc */
  protected async removeAll(): Promise<void> {
    let cursor: string | undefined
    do {
      const page = await this.#kv.list({ prefix: this.#prefix, ...(cursor && { cursor }) })
      if (!Array.isArray(page?.keys)) throw answerNotUnderstood('no list of keys')
      const ours = page.keys.filter(({ name }) => isValueShaped(name.slice(this.#prefix.length)))
      await Promise.all(ours.map(({ name }) => this.#kv.delete(name)))
      cursor = page.list_complete ? undefined : page.cursor
    } while (cursor)
  }

  async #put(id: string, record: SessionRecord): Promise<void> {
    const text = JSON.stringify(record)
    const put = (): Promise<void> => this.#kv.put(this.#prefix + id, text, timeToLive(record))
    const failed = rethrow(id, text, ...Object.values(record))
    try {
      await put()
    } catch (error) {
      if (!TOO_MANY.test(String(error))) return failed(error)
      const pause = WRITE_INTERVAL * (1 + Math.random())
      await new Promise((resolve) => setTimeout(resolve, pause))
      await put().catch(failed)
    }
  }
}

/** KV counts in seconds and keeps nothing for less than a minute. The record itself says when the session ends. */
function timeToLive({ expiry }: SessionRecord): { expirationTtl?: number } {
  if (expiry === null) return {}
  const left = Math.ceil((expiry - Date.now()) / 1000)
  return { expirationTtl: Math.min(MAX_TTL, Math.max(MIN_TTL, left)) }
}

function isNamespace(kv: Partial<KVClient>): boolean {
  return [kv.get, kv.put, kv.delete, kv.list].every((method) => typeof method === 'function')
}

/** Passes an error of KV's on without what was sent. */
function rethrow(...sent: unknown[]): (error: unknown) => never {
  return (error) => {
    throw withoutData(error, sent)
  }
}

/** Something else under the key is no session. */
function parse(text: string): SessionRecord | undefined {
  try {
    const record: unknown = JSON.parse(text)
    return typeof record === 'object' && record !== null ? (record as SessionRecord) : undefined
  } catch {
    return undefined
  }
}
