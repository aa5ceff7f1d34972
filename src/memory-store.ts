import { SessionError } from './errors.js'
import { KeyedStore, type KeyedStoreOptions } from './keyed-store.js'
import { isExpired, type SessionRecord } from './session-record.js'
import type { SessionStore } from './session-store.js'

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

/** What one name holds. Plain values only: they outlive the module that made them. */
interface Part {
  /** Least recently used first. */
  records: Map<string, SessionRecord>
  owners: Map<string, Set<string>>
  bytes: number
  maxSessions: number
  maxBytes: number
  /** Where the sweep for expired records goes on, and how far it may until it starts over. */
  sweep: Iterator<[string, SessionRecord]> | undefined
  sweepLeft: number
  /** Where the least recently used record is. Kept, because a map's own start is slow to find after many removals. */
  oldest: Iterator<string> | undefined
}

const PARTS: unique symbol = Symbol.for('isolate-session.memory-store')

/** Records looked at in passing whenever one is inserted, so that expired ones go without a timer. */
const SWEEP_STEP = 16

/** The same when the store is full, before a live session has to go. */
const FULL_SWEEP = 256

/** Heap beside the texts: map entry, record object, string headers, id and version. Measured in Node 24 (docs/memory-store.md). */
const RECORD_BYTES = 320

/** The same for a record's place in the owner index. */
const OWNER_BYTES = 160

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
export class MemoryStore extends KeyedStore {
  declare sessionsOf: NonNullable<SessionStore['sessionsOf']>
  declare destroySessionsOf: NonNullable<SessionStore['destroySessionsOf']>
  declare destroySessionById: NonNullable<SessionStore['destroySessionById']>

  readonly #part: Part
  readonly productionWarning: string | undefined

  /** @throws TypeError for a name that is no text, and for bounds that are not positive integers. */
  constructor({
    name = 'default',
    maxSessions = 100_000,
    maxBytes = 33_554_432,
    warn = true,
    ...options
  }: MemoryStoreOptions = {}) {
    super(options)
    if (typeof name !== 'string') throw new TypeError('MemoryStore: name must be a string.')
    checkBound('maxSessions', maxSessions)
    checkBound('maxBytes', maxBytes)
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
    checkFits(record, part)
    sweep(part, SWEEP_STEP)
    put(part, id, record)
    makeRoom(part)
    return true
  }

  protected async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    const part = this.#part
    const current = part.records.get(id)
    if (current?.version !== version || isExpired(current.expiry, Date.now())) return false
    checkFits(record, part)
    drop(part, id)
    put(part, id, record)
    makeRoom(part)
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

function partNamed(name: string): Part {
  const shared = globalThis as { [PARTS]?: Map<string, Part> }
  shared[PARTS] ??= new Map()
  let part = shared[PARTS].get(name)
  if (!part) {
    part = {
      records: new Map(),
      owners: new Map(),
      bytes: 0,
      maxSessions: 0,
      maxBytes: 0,
      sweep: undefined,
      sweepLeft: 0,
      oldest: undefined,
    }
    shared[PARTS].set(name, part)
  }
  return part
}

function checkBound(option: string, value: number): void {
  if (!(Number.isInteger(value) && value > 0)) {
    throw new TypeError(`MemoryStore: ${option} must be a positive integer.`)
  }
}

function checkFits(record: SessionRecord, { maxBytes }: Part): void {
  if (weigh(record) <= maxBytes) return
  throw new SessionError(
    'SESSION_TOO_LARGE',
    `The session alone would exceed the ${maxBytes} bytes of this MemoryStore and was not stored. Raise maxBytes.`,
  )
}

/** V8 holds a string in one byte a character, or in two as soon as one does not fit into Latin-1. */
function weigh({ body, owner }: SessionRecord): number {
  const text = body.length * (BEYOND_LATIN1.test(body) ? 2 : 1)
  return RECORD_BYTES + text + (owner === null ? 0 : OWNER_BYTES)
}

const BEYOND_LATIN1 = /[\u0100-\uffff]/

function put(part: Part, id: string, record: SessionRecord): void {
  part.records.set(id, record)
  part.bytes += weigh(record)
  if (record.owner === null) return
  const ids = part.owners.get(record.owner)
  if (ids) ids.add(id)
  else part.owners.set(record.owner, new Set([id]))
}

function drop(part: Part, id: string): void {
  const record = part.records.get(id)
  if (!record) return
  part.records.delete(id)
  part.bytes -= weigh(record)
  if (record.owner === null) return
  const ids = part.owners.get(record.owner)
  ids?.delete(id)
  if (ids?.size === 0) part.owners.delete(record.owner)
}

/** Looks at the next `steps` records and drops the expired ones. Goes round and round, a piece at a time. */
function sweep(part: Part, steps: number): void {
  const now = Date.now()
  for (let step = 0; step < steps; step++) {
    // Reads move records to the end: a round is as many steps as there were records, or it would never end.
    if (!part.sweep || part.sweepLeft-- <= 0) {
      part.sweep = part.records.entries()
      part.sweepLeft = part.records.size
    }
    const next = part.sweep.next()
    if (next.done) {
      part.sweep = undefined
      return
    }
    const [id, { expiry }] = next.value
    if (isExpired(expiry, now)) drop(part, id)
  }
}

function makeRoom(part: Part): void {
  if (isOver(part)) sweep(part, FULL_SWEEP)
  if (!isOver(part)) {
    part.oldest = undefined
    return
  }
  while (isOver(part)) {
    part.oldest ??= part.records.keys()
    const { value: id } = part.oldest.next()
    if (id === undefined) part.oldest = undefined
    else drop(part, id)
  }
}

function isOver({ records, bytes, maxSessions, maxBytes }: Part): boolean {
  return records.size > maxSessions || bytes > maxBytes
}
