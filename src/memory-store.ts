import { checkOptions } from './check-options.js'
import { IndexedStore, type KeyedStoreOptions } from './keyed-store.js'
import { drop, enter, overwrite, type Part, partNamed } from './memory-part.js'
import { isExpired, type SessionRecord } from './session-record.js'

export interface MemoryStoreOptions extends KeyedStoreOptions {
  /** Stores with one name, in one isolate, hold the same sessions. Default `'default'`. */
  readonly name?: string
  /** Most sessions it holds. Default 100,000. */
  readonly maxSessions?: number
  /** Most bytes of heap it holds, as `bytes` estimates them. Default 33,554,432: a quarter of an isolate's 128 MB. */
  readonly maxBytes?: number
  /** `false`: no warning when it serves a production host. */
  readonly warn?: boolean
}

let read: (store: MemoryStore) => Part

/** What a MemoryStore holds, for the cache that is made of one. Not exported by the package. */
export function partOf(store: MemoryStore): Part {
  return read(store)
}

/**
 * Sessions in the memory of one isolate: for development, for tests, and as a cache.
 *
 * It lives exactly as long as the isolate. **Another isolate, another machine, a restart or an eviction has none of it**,
 * just as async-session's MemoryStore lives as long as its process. On Cloudflare a Worker runs in many isolates at once,
 * so a visitor's next request may land where the session is not known. In production use a store with a backend.
 *
 * The sessions are in one `Map` on `globalThis`: every `new MemoryStore()` in an isolate sees the same ones, also one made
 * inside a request, also after a dev server has evaluated the module again.
 *
 * Bounded in count and bytes. At the limit expired sessions go first, then the least recently used. Nothing but plain
 * values is kept between requests: no timer, no promise, no lock.
 */
export class MemoryStore extends IndexedStore {
  readonly #part: Part

  static {
    read = (store) => store.#part
  }

  readonly productionWarning: string | undefined

  /** @throws TypeError for a name that is no text, and for bounds that are not positive integers. */
  constructor(options?: MemoryStoreOptions) {
    const {
      name = 'default',
      maxSessions = 100_000,
      maxBytes = 33_554_432,
      warn = true,
      ...rest
    } = checkOptions('MemoryStore', options)
    super(rest)
    this.#part = Object.assign(partNamed(name), { maxSessions, maxBytes })
    this.productionWarning = warn ? PRODUCTION_WARNING : undefined
  }

  /** Estimated heap that the sessions of this name take in this isolate. */
  get bytes(): number {
    return this.#part.bytes
  }

  /** How many sessions of this name this isolate holds, expired ones that were not reclaimed yet included. */
  async count(): Promise<number> {
    return this.#part.records.size
  }

  /** Removes the expired sessions now, and says how many. They also go by themselves. */
  async cleanup(): Promise<number> {
    const { records } = this.#part
    const before = records.size
    const now = Date.now()
    for (const [id, { expiry }] of records) if (isExpired(expiry, now)) drop(this.#part, id)
    return before - records.size
  }

  protected async read(id: string): Promise<SessionRecord | undefined> {
    const { records } = this.#part
    const record = records.get(id)
    if (!record) return undefined
    if (isExpired(record.expiry, Date.now())) {
      drop(this.#part, id)
      return undefined
    }
    // Back to the end: most recently used.
    records.delete(id)
    records.set(id, record)
    return record
  }

  protected async insert(id: string, record: SessionRecord): Promise<boolean> {
    const part = this.#part
    if (part.records.has(id)) return false
    enter(part, id, record)
    return true
  }

  protected async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    const part = this.#part
    const current = part.records.get(id)
    if (current?.version !== version || isExpired(current.expiry, Date.now())) return false
    overwrite(part, id, record)
    return true
  }

  protected async remove(id: string, version?: string): Promise<boolean> {
    const record = this.#part.records.get(id)
    if (!record || (version !== undefined && record.version !== version)) return false
    drop(this.#part, id)
    return true
  }

  protected async removeAll(): Promise<void> {
    const part = this.#part
    part.records.clear()
    part.owners.clear()
    part.bytes = 0
    part.sweep = undefined
    part.oldest = undefined
  }

  protected override async recordsOf(
    owner: string,
  ): Promise<[id: string, record: SessionRecord][]> {
    const { owners, records } = this.#part
    return [...(owners.get(owner) ?? [])].flatMap((id) => {
      const record = records.get(id)
      return record ? [[id, record]] : []
    })
  }
}

const PRODUCTION_WARNING =
  'isolate-session: MemoryStore keeps sessions in this isolate only. Other isolates do not know them, and they are gone when this one is evicted. ' +
  'In production use a store with a backend, or pass `warn: false` if this is what you want.'
