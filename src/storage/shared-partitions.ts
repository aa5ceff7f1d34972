// A dev server evaluates the module again in the same isolate, perhaps in another version. What it finds on `globalThis` is
// therefore input like any other, and is checked before it is used. See docs/decisions/03-plain-values-on-globalthis.md.

import { isExpired, type SessionRecord } from '../session/session-record.ts'
import { isIntact } from './bounded-map.ts'
import { LAYOUT, newPartition, type Partition, RANKS, setRecord } from './memory-partition.ts'

/** Where all copies of this module find the sessions. Registered, because a symbol of one copy is unknown to the next. */
const MEMORY_STORE: unique symbol = Symbol.for('isolate-session.memory-store')

/** The ones that this evaluation of the module has set up. What another one left may be of any edition, or broken. */
const known = new WeakSet<object>()

/** The partition of that name, made when it is first asked for. `key`: where on `globalThis`. */
export function partition(name: string, key: symbol = MEMORY_STORE): Partition {
  const partitions = partitionsUnder(key)
  const left = partitions.get(name)
  if (isUsable(left)) return left
  const restored = restore(left)
  known.add(restored)
  partitions.set(name, restored)
  return restored
}

/** The map of all names, made by whoever comes first. Anything there that is no map is replaced. */
function partitionsUnder(key: symbol): Map<string, unknown> {
  const shared = globalThis as { [key: symbol]: unknown }
  const left = shared[key]
  if (left instanceof Map) return left
  const partitions = new Map<string, unknown>()
  shared[key] = partitions
  return partitions
}

const kindOf = (value: unknown): string => Object.prototype.toString.call(value)

/** Known, and still whole. A glance only: a store may be made in every request. */
function isUsable(left: unknown): left is Partition {
  if (!known.has(left as object) || Object.isFrozen(left)) return false
  const { owners, vacant, sweep } = left as Partition
  const canSweep = sweep === undefined || kindOf(sweep) === '[object Map Iterator]'
  const isIndexed = owners instanceof Map && vacant instanceof Set
  return isIndexed && canSweep && isIntact(left as Partition, RANKS)
}

/**
 * Takes over the records that can be read, so that a dev server which evaluates a new version signs nobody out. Everything
 * else is built anew from them. The object stays the same where another evaluation uses it the same way.
 */
function restore(left: unknown): Partition {
  const restored = newPartition()
  try {
    for (const [id, record] of recordsIn(left)) setRecord(restored, id, record)
    const { layout } = Object(left) as Partial<Partition>
    if (layout === LAYOUT) return Object.assign(left as Partition, restored)
  } catch {
    // Frozen, or nothing that can be read.
  }
  return restored
}

/** Of this edition (`entries`), or of the first (`records`, without links). */
function* recordsIn(left: unknown): Generator<[id: string, record: SessionRecord]> {
  const { entries, records } = Object(left) as { entries?: unknown; records?: unknown }
  const now = Date.now()
  for (const map of [records, entries]) {
    if (!(map instanceof Map)) continue
    for (const [id, held] of map) {
      const record = map === entries ? held?.value : held
      if (typeof id === 'string' && isLiveRecord(record, now)) yield [id, record]
    }
  }
}

/** As strict as with a record from a database, because code of another edition may have put it on `globalThis`. */
function isLiveRecord(
  record: Partial<SessionRecord> | undefined,
  now: number,
): record is SessionRecord {
  return (
    typeof record?.version === 'string' &&
    typeof record.body === 'string' &&
    (record.owner === null || typeof record.owner === 'string') &&
    !isExpired(record.expiry, now)
  )
}
