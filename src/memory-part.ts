import { SessionError } from './errors.js'
import { isExpired, type SessionRecord } from './session-record.js'

/** What one name holds. Plain values only: they outlive the module that made them. */
export interface Part {
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

/** Heap beside the body: map entry, record object, id and version. Measured in Node 24 with 50,000 sessions: 239. */
const RECORD_BYTES = 256

/** The same for an owner and the place in the index: 299. */
const OWNER_BYTES = 300

/** The part of that name, made when it is asked for first. */
export function partNamed(name: string): Part {
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

/** Takes in a new record, and drops what has to go for it. */
export function enter(part: Part, id: string, record: SessionRecord): void {
  checkFits(record, part)
  sweep(part, SWEEP_STEP)
  put(part, id, record)
  makeRoom(part)
}

/** Puts a record in the place of another, as the most recently used. */
export function overwrite(part: Part, id: string, record: SessionRecord): void {
  checkFits(record, part)
  drop(part, id)
  put(part, id, record)
  makeRoom(part)
}

function put(part: Part, id: string, record: SessionRecord): void {
  part.records.set(id, record)
  part.bytes += weigh(record)
  if (record.owner === null) return
  const ids = part.owners.get(record.owner)
  if (ids) ids.add(id)
  else part.owners.set(record.owner, new Set([id]))
}

export function drop(part: Part, id: string): void {
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
