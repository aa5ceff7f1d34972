/**
 * @module isolate-session/kv
 */
import { checkOptions } from '../check-options.js'
import { isValueShaped } from '../crypto.js'
import { KeyedStore, type KeyedStoreOptions } from '../keyed-store.js'
import { checkPrefix } from '../prefix.js'
import type { SessionRecord } from '../session-record.js'

/** What is called of a `KVNamespace`. */
export interface KVClient {
  get(key: string): Promise<string | null>
  put(key: string, value: string, options?: { expirationTtl?: number }): Promise<void>
  delete(key: string): Promise<void>
  list(options: {
    prefix: string
    cursor?: string
  }): Promise<{ keys: { name: string }[]; list_complete: boolean; cursor?: string }>
}

export interface KVStoreOptions extends KeyedStoreOptions {
  /** Default `'session:'`. */
  readonly prefix?: string
}

/** Shortest time to live that KV takes, in seconds: https://developers.cloudflare.com/kv/api/write-key-value-pairs/ */
const MIN_TTL = 60

/** KV takes one write a second to one key: https://developers.cloudflare.com/kv/platform/limits/ */
const WRITE_INTERVAL = 1000

const TOO_MANY = /\b429\b|too many requests/i

/**
 * Sessions in Workers KV.
 *
 * **KV has no conditional write and is eventually consistent.** A change, a sign-out or a revocation may be seen elsewhere
 * only after 60 seconds or more. Of two requests that write at once, one is lost, also if they change different keys. A
 * session that ended is brought back by a request that was still running and writes. It cannot find sessions by owner. Use
 * it for what is read a lot, written rarely, and may be late.
 *
 * Expiry is checked from the record, so a session ends on time although KV keeps nothing for less than 60 seconds.
 */
export class KVStore extends KeyedStore {
  declare sessionsOf?: never
  declare destroySessionsOf?: never
  declare destroySessionById?: never

  readonly #kv: KVClient
  readonly #prefix: string

  /** @throws TypeError for a prefix that KV would not take. */
  constructor(kv: KVClient, options?: KVStoreOptions) {
    const { prefix = 'session:', ...rest } = checkOptions('KVStore', options)
    super(rest)
    this.#kv = kv
    this.#prefix = checkPrefix(prefix)
  }

  override get cacheName(): string {
    return `kv ${this.#prefix}`
  }

  protected async read(id: string): Promise<SessionRecord | undefined> {
    const text = await this.#kv.get(this.#prefix + id)
    return text === null ? undefined : parse(text)
  }

  /** Without a look: KV remembers that a key was absent, and would go on saying so. 256 random bits are not taken. */
  protected async insert(id: string, record: SessionRecord): Promise<boolean> {
    await this.#put(id, record)
    return true
  }

  protected async replace(id: string, record: SessionRecord): Promise<boolean> {
    await this.#put(id, record)
    return true
  }

  protected async remove(id: string): Promise<boolean> {
    await this.#kv.delete(this.#prefix + id)
    return true
  }

  protected async removeAll(): Promise<void> {
    let cursor: string | undefined
    do {
      const page = await this.#kv.list({ prefix: this.#prefix, ...(cursor && { cursor }) })
      const ours = page.keys.filter(({ name }) => isValueShaped(name.slice(this.#prefix.length)))
      await Promise.all(ours.map(({ name }) => this.#kv.delete(name)))
      cursor = page.list_complete ? undefined : page.cursor
    } while (cursor)
  }

  async #put(id: string, record: SessionRecord): Promise<void> {
    const put = (): Promise<void> =>
      this.#kv.put(this.#prefix + id, JSON.stringify(record), timeToLive(record))
    try {
      await put()
    } catch (error) {
      if (!TOO_MANY.test(String(error))) throw error
      const pause = WRITE_INTERVAL * (1 + Math.random())
      await new Promise((resolve) => setTimeout(resolve, pause))
      await put()
    }
  }
}

function timeToLive({ expiry }: SessionRecord): { expirationTtl?: number } {
  if (expiry === null) return {}
  return { expirationTtl: Math.max(MIN_TTL, Math.ceil((expiry - Date.now()) / 1000)) }
}

function parse(text: string): SessionRecord | undefined {
  try {
    const record: unknown = JSON.parse(text)
    return typeof record === 'object' && record !== null ? (record as SessionRecord) : undefined
  } catch {
    return undefined
  }
}
