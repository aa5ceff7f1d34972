import { SessionError } from '../errors.ts'
import { isExpired, type SessionRecord } from '../session/session-record.ts'
import {
  type BoundedMap,
  type Entry,
  isOver,
  newBoundedMap,
  nextToEvict,
  put,
  recount,
  remove,
} from './bounded-map.ts'

/** In the order in which they go at the limit. Dead records have no body: a rotation leaves them under the old id. */
export const RANKS = ['dead', 'anonymous', 'owned'] as const

export type Rank = (typeof RANKS)[number]

/** The sessions of one name. Plain values only: they outlive the module that made them. */
export interface Partition extends BoundedMap<SessionRecord, Rank> {
  /** Tells partitions of another edition apart. Raise it when the shape changes. */
  layout: number
  owners: Map<string, Set<string>>
  /** Owners whose last session has gone, and who are still in `owners`. Some may be back. */
  vacant: Set<string>
  /** Where the sweep for expired records goes on. */
  sweep: Iterator<[id: string, entry: Entry<SessionRecord, Rank>]> | undefined
}

/** The shape of `Partition`. */
export const LAYOUT = 2

/** Records checked with each insert, so that expired ones go without a timer. */
const SWEEP_STEP = 16

/** The same when the store is full, before a live session has to go. */
const FULL_SWEEP = 256

/** Heap beside the body: map entry, links, record object, id and version. Measured in Node 24 with 50,000 sessions: 303. */
const RECORD_BYTES = 320

/** The same for an owner and the place in the index: 301. */
const OWNER_BYTES = 300

/** Owners without a session that stay in the index. */
const MAX_VACANT = 64

/** An empty partition, without bounds. */
export function newPartition(): Partition {
  const map = newBoundedMap<SessionRecord, Rank>(RANKS)
  return { layout: LAYOUT, ...map, owners: new Map(), vacant: new Set(), sweep: undefined }
}

/**
 * Adds a new record, and evicts what has to go for it.
 *
 * Its size is checked before anything is changed. The sweep comes with inserts alone, because only they make the store grow.
 */
export function insertRecord(
  partition: Partition,
  id: string,
  record: SessionRecord,
  rank: Rank = rankOf(record),
): void {
  const size = checkedSize(partition, record)
  sweep(partition, SWEEP_STEP)
  setRecord(partition, id, record, size, rank)
  evict(partition, size)
}

/** Replaces the record under `id`, as the most recently used. */
export function replaceRecord(partition: Partition, id: string, record: SessionRecord): void {
  const size = checkedSize(partition, record)
  setRecord(partition, id, record, size, rankOf(record))
  evict(partition, size)
}

/** Removes a record and its place in the index. */
export function removeRecord(partition: Partition, id: string): SessionRecord | undefined {
  const record = remove(partition, id)?.value
  if (record) removeFromIndex(partition, id, record.owner)
  return record
}

/** Adds or replaces a record without looking at the bounds. */
export function setRecord(
  partition: Partition,
  id: string,
  record: SessionRecord,
  size: number = sizeOf(record),
  rank: Rank = rankOf(record),
): void {
  const before = partition.entries.get(id)?.value.owner ?? null
  put(partition, id, record, size, rank)
  if (before === record.owner) return
  removeFromIndex(partition, id, before)
  addToIndex(partition, id, record.owner)
}

/** Who goes before whom when the store is full. */
function rankOf(record: SessionRecord): Rank {
  if (record.body === '') return 'dead'
  return record.owner === null ? 'anonymous' : 'owned'
}

/** A session that is larger than the whole store would evict everybody and still not fit. */
function checkedSize({ maxBytes }: Partition, record: SessionRecord): number {
  const size = sizeOf(record)
  if (size <= maxBytes) return size
  throw new SessionError(
    'SESSION_TOO_LARGE',
    `The session alone would exceed the ${maxBytes} bytes of this MemoryStore and was not stored. Raise maxBytes.`,
  )
}

/** V8 holds a string in one byte a character, or in two as soon as one does not fit into Latin-1. */
function sizeOf({ body, owner }: SessionRecord): number {
  const text = body.length * (BEYOND_LATIN1.test(body) ? 2 : 1)
  return RECORD_BYTES + text + (owner === null ? 0 : OWNER_BYTES)
}

/** Characters that V8 does not keep in one byte. */
const BEYOND_LATIN1 = /[\u0100-\uffff]/

/** Notes that the owner has this session. Without the index, signing out everywhere would look at every session there is. */
function addToIndex({ owners }: Partition, id: string, owner: string | null): void {
  if (owner === null) return
  const ids = owners.get(owner)
  if (ids) ids.add(id)
  else owners.set(owner, new Set([id]))
}

/** Forgets it. The owner stays in the index for a while: one key that is removed and put in again and again makes a map slow. */
function removeFromIndex(partition: Partition, id: string, owner: string | null): void {
  if (owner === null) return
  const ids = partition.owners.get(owner)
  ids?.delete(id)
  if (ids?.size === 0) vacate(partition, owner)
}

/** Deletes the owner a little later: somebody who signs in and out all the time would leave a chain of holes in the `Map`. */
function vacate({ owners, vacant }: Partition, owner: string): void {
  vacant.add(owner)
  if (vacant.size <= MAX_VACANT) return
  const [first = owner] = vacant
  vacant.delete(first)
  if (owners.get(first)?.size === 0) owners.delete(first)
}

/** Removes the expired ones among the next `steps` records. Goes round and round, a piece at a time. */
function sweep(partition: Partition, steps: number): void {
  const { entries } = partition
  const now = Date.now()
  for (let step = 0; step < steps; step++) {
    partition.sweep ??= entries.entries()
    const { value, done } = partition.sweep.next()
    if (done) {
      partition.sweep = undefined
      return
    }
    const [id, entry] = value
    // `?.`: should somebody have put the iterator of another map here, its ids are not found.
    if (isExpired(entry?.value?.expiry, now)) removeRecord(partition, id)
  }
}

/**
 * `size`: of what was just written.
 *
 * When everybody else is signed in, a stranger's new session is itself the next to go, although its insert has succeeded.
 * Its visitor only begins another one; sparing it would sign out one member for every large session of a stranger.
 */
function evict(partition: Partition, size: number): void {
  recount(partition, size)
  if (!isOver(partition)) return
  sweep(partition, FULL_SWEEP)
  while (isOver(partition)) {
    const id = nextToEvict(partition)
    if (id === undefined || !removeRecord(partition, id)) return
  }
}
