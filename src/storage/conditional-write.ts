// The heart of the library: how two requests change one session and neither loses anything. A write says which version it has
// read; the backend refuses it if that is not the latest. docs/decisions/01-change-list.md says why changes are functions.

import type { StoredRecord } from '../session/life.ts'
import type { SessionState, Write } from '../session/session-state.ts'
import {
  type Backend,
  conflict,
  isOwn,
  MAX_ATTEMPTS,
  readAgain,
  rebase,
  recordOf,
} from './backend.ts'
import { insertNew } from './insertion.ts'
import { rotate } from './rotation.ts'

export type { Backend } from './backend.ts'

/**
 * Writes what was done to a session and gives the cookie value it now has, if that is a new one.
 *
 * The one idea: every write is conditional on the version that was read. If it has moved, the record is read again and the
 * same changes are applied to it. Moving the expiry is the same write; there is no second way.
 */
export function writeSession(state: SessionState, backend: Backend): Promise<string | undefined> {
  return state.write((write): Promise<string | undefined> => {
    const { life } = write
    if (life.is !== 'stored') return create(state, write, backend)
    return write.rotation
      ? rotate(state, life.stored, write, backend)
      : update(state, life.stored, write, backend)
  })
}

/** The session was never stored, so there is nobody to lose a race against. */
async function create(state: SessionState, write: Write, backend: Backend): Promise<string> {
  const { value, stored } = await insertNew(state, write, undefined, backend)
  state.completeWrite(write, stored)
  return value
}

/**
 * The session keeps its id. Repeated until no other request was faster, each time with the same changes on what is stored by then.
 *
 * It never inserts: a record that is gone was destroyed, revoked or has expired, and a write must not bring it back.
 */
async function update(
  state: SessionState,
  { id, record }: StoredRecord,
  write: Write,
  backend: Backend,
): Promise<undefined> {
  let base = { record, content: write.content }
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const { content } = base
    const expiry = state.expiryToStore(write, content, base.record, Date.now())
    const isSame = write.changes.length === 0 && expiry === base.record.expiry
    const next = isSame ? base.record : recordOf(content, expiry, backend)
    if (next === base.record || (await backend.replace(id, next, base.record))) {
      return void state.completeWrite(write, { id, record: next }, content, attempt)
    }
    const latest = await readAgain(id, attempt, backend)
    // Refused, and yet ours is what is there: a reply was lost, or the call was made twice.
    if (isOwn(latest, next)) {
      return void state.completeWrite(write, { id, record: next }, content, attempt)
    }
    base = rebase(latest, write)
  }
  throw conflict()
}
