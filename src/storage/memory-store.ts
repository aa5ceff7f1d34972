// The five operations on a `Map`. What is kept and in which order it goes is in memory-partition.ts; how the `Map` is found
// again by another copy of this module is in shared-partitions.ts.

import { checkOptions } from '../options/check-options.ts'
import { isDead, isExpired, type SessionRecord } from '../session/session-record.ts'
import { use } from './bounded-map.ts'
import { IndexedStore, type KeyedStoreOptions } from './keyed-store.ts'
import {
  insertRecord,
  newPartition,
  type Partition,
  removeRecord,
  replaceRecord,
} from './memory-partition.ts'
import { DOES_NO_IO } from './session-store.ts'
import { partition } from './shared-partitions.ts'

/** The options of `MemoryStore`. */
export interface MemoryStoreOptions extends KeyedStoreOptions {
  /** Stores with the same name, in one isolate, share their sessions, and the bounds of the one made last. Default `'default'`. */
  readonly name?: string
  /** How many sessions it holds at most. Default 100,000. */
  readonly maxSessions?: number
  /**
   * How much heap its sessions take at most, in bytes as estimated by `bytes`. Default 33,554,432: a quarter of an isolate's
   * 128 MB.
   */
  readonly maxBytes?: number
  /** `false` turns off the warning when it serves a production host. Default true. */
  readonly warn?: boolean
}

let read: (store: MemoryStore) => Partition

/** The partition of a MemoryStore, for the cache that is made of one. Not exported by the package. */
export function partitionOf(store: MemoryStore): Partition {
  return read(store)
}

/**
 * Sessions in the memory of one isolate: for development and tests. In production use a store with a backend.
 *
 * It lives exactly as long as the isolate. **Another isolate, another machine, a restart or an eviction has none of it**,
 * just as async-session's MemoryStore lives as long as its process. On Cloudflare a Worker runs in many isolates at once,
 * so a visitor's next request may land where the session is not known.
 *
 * The sessions are in one `Map` on `globalThis`: every `new MemoryStore()` in an isolate sees the same ones, also one made
 * inside a request, also after a dev server has evaluated the module again.
 *
 * Bounded by `maxSessions` and `maxBytes`. At the limit expired sessions are evicted first, then the least recently used
 * session without an owner, then the least recently used of the rest: a flood of strangers signs nobody out. Nothing but
 * plain values is kept between requests: no timer, no promise, no lock.
 */
export class MemoryStore extends IndexedStore {
  readonly #partition: Partition

  static {
    read = (store) => store.#partition
  }

  /** Set unless `warn: false` was given: sessions are gone when the isolate ends. */
  readonly productionWarning: string | undefined

  /** @internal A subclass may do more. */
  get [DOES_NO_IO](): boolean {
    return this.constructor === MemoryStore
  }

  /**
   * Sessions in the memory of one isolate: for development and tests. **Other isolates do not have them, and they are gone
   * when this one ends.** In production use a store with a backend.
   *
   * @throws TypeError for an option that does not exist or is of the wrong type.
   */
  constructor(options?: MemoryStoreOptions) {
    const {
      name = 'default',
      maxSessions = 100_000,
      maxBytes = 33_554_432,
      warn = true,
      ...rest
    } = checkOptions('MemoryStore', options)
    super(rest)
    this.#partition = Object.assign(partition(name), { maxEntries: maxSessions, maxBytes })
    this.productionWarning = warn ? PRODUCTION_WARNING : undefined
  }

  /** Estimated heap, in bytes, of this name's sessions in this isolate. */
  get bytes(): number {
    return this.#partition.bytes
  }

  /** How many sessions of this name this isolate holds, including expired ones that were not reclaimed yet. */
  async count(): Promise<number> {
    const { entries, queues } = this.#partition
    return entries.size - queues.dead.count
  }

  /** Removes the expired sessions now and returns how many. They are also reclaimed in passing, with every insert. */
  async cleanup(): Promise<number> {
    const now = Date.now()
    let removed = 0
    for (const [id, { value }] of this.#partition.entries) {
      if (!isExpired(value.expiry, now)) continue
      removeRecord(this.#partition, id)
      if (!isDead(value)) removed++
    }
    return removed
  }

  /** @inheritDoc */
  protected async read(id: string): Promise<SessionRecord | undefined> {
    const entry = this.#partition.entries.get(id)
    if (!entry) return undefined
    if (isExpired(entry.value.expiry, Date.now())) {
      removeRecord(this.#partition, id)
      return undefined
    }
    use(this.#partition, id, entry)
    return entry.value
  }

  /** @inheritDoc */
  protected async insert(id: string, record: SessionRecord): Promise<boolean> {
    if (this.#partition.entries.has(id)) return false
    insertRecord(this.#partition, id, record)
    return true
  }

  /** @inheritDoc */
  protected async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    const current = this.#partition.entries.get(id)?.value
    if (current?.version !== version || isExpired(current.expiry, Date.now())) return false
    replaceRecord(this.#partition, id, record)
    return true
  }

  /** @inheritDoc */
  protected async remove(id: string, version?: string): Promise<boolean> {
    const record = this.#partition.entries.get(id)?.value
    if (!record || (version !== undefined && record.version !== version)) return false
    removeRecord(this.#partition, id)
    return true
  }

  /** @inheritDoc */
  protected async removeAll(): Promise<void> {
    const { maxEntries, maxBytes } = this.#partition
    Object.assign(this.#partition, newPartition(), { maxEntries, maxBytes })
  }

  /** @inheritDoc */
  protected override async recordsOf(
    owner: string,
  ): Promise<[id: string, record: SessionRecord][]> {
    const { owners, entries } = this.#partition
    return [...(owners.get(owner) ?? [])].flatMap((id) => {
      const record = entries.get(id)?.value
      return record ? [[id, record]] : []
    })
  }
}

const PRODUCTION_WARNING =
  'isolate-session: MemoryStore keeps sessions in this isolate only. Other isolates do not know them, and they are gone when this one is evicted. ' +
  'In production use a store with a backend, or pass `warn: false` if this is what you want.'
