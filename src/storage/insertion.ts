// Making a new record. Ids are random and do not collide, so an id that is taken means a call that was made twice, or random
// numbers that repeat. The two look alike: in the first case the record is ours, in the second it may be another visitor's.

import { idOf, randomValue } from '../crypto/values.ts'
import { SessionError } from '../errors.ts'
import type { StoredRecord } from '../session/life.ts'
import type { SessionRecord } from '../session/session-record.ts'
import type { SessionState, Write } from '../session/session-state.ts'
import { type Backend, isOwn, recordOf } from './backend.ts'

/** 256 random bits do not collide; a generator or a backend that makes them is broken. */
const MAX_INSERTS = 4

/** A generator that gives one of so many values again is broken. */
const SAMPLES = 64

/**
 * Puts a new record under a value that nobody has yet. `old`: the record whose place it takes in a
 * rotation, and whose expiry it keeps unless that has to move.
 */
export async function insertNew(
  state: SessionState,
  write: Write,
  old: SessionRecord | undefined,
  backend: Backend,
): Promise<{ value: string; stored: StoredRecord }> {
  const expiry = state.expiryToStore(write, write.content, old, Date.now())
  const record = recordOf(write.content, expiry, backend)
  for (let attempt = 0; attempt < MAX_INSERTS; attempt++) {
    const value = randomValue()
    const id = await idOf(value)
    if (await insert(value, id, record, backend)) return { value, stored: { id, record } }
  }
  throw new SessionError(
    'STORE_FAILED',
    `The store called ${MAX_INSERTS} fresh random ids taken. Check its insert() and the platform's random numbers.`,
  )
}

/** If it fails it leaves nothing behind. Otherwise the owner would see a session whose cookie nobody has. */
async function insert(
  value: string,
  id: string,
  record: SessionRecord,
  backend: Backend,
): Promise<boolean> {
  try {
    if (await backend.insert(id, record)) return true
    // Taken by the very same record: the call was made twice, or the value is a visitor's who was given it before us.
    return isOwn(await backend.read(id), record) && !isDrawnAgain(value)
  } catch (error) {
    await backend.remove(id, record.version).catch(() => false)
    throw error
  }
}

/**
 * Does the generator give the same value again within the next few draws? With one that repeats, two visitors could be given
 * one session, which is worse than an error for both.
 */
function isDrawnAgain(value: string): boolean {
  return Array.from({ length: SAMPLES }, randomValue).includes(value)
}
