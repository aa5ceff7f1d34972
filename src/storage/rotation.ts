// A rotation moves a session from one id to another. No backend can do that in one step for two keys, so the order matters:
// at every moment at least one of the two records is alive, and what another request writes to the old one is carried over.

import { freshVersion } from '../crypto/values.ts'
import { sessionGone } from '../errors.ts'
import type { StoredRecord } from '../session/life.ts'
import type { SessionRecord } from '../session/session-record.ts'
import type { SessionState, Write } from '../session/session-state.ts'
import {
  type Backend,
  conflict,
  contentOf,
  isOwn,
  MAX_ATTEMPTS,
  readAgain,
  rebase,
  recordOf,
} from './backend.ts'
import { insertNew } from './insertion.ts'

/** How long a dead record stays, in milliseconds: longer than the request that wrote it goes on asking. */
const DEAD_FOR = 60_000

/**
 * Gives the session a new id. The new record is there before the old one dies.
 *
 * The other order would sign the visitor out if the second step failed. In this one a failure leaves two records for a moment, of
 * which nobody holds the newer one's cookie, and that one is removed.
 */
export async function rotate(
  state: SessionState,
  old: StoredRecord,
  write: Write,
  backend: Backend,
): Promise<string> {
  const { value, stored } = await insertNew(state, write, old.record, backend)
  try {
    await supersede(state, old, stored, write, backend)
    return value
  } catch (error) {
    // Nobody has its cookie value; should this fail too, its expiry takes it away.
    await backend.remove(stored.id).catch(() => false)
    throw error
  }
}

/** Ends `old`, after carrying over to `fresh` what other requests have changed in it meanwhile. */
async function supersede(
  state: SessionState,
  old: StoredRecord,
  fresh: StoredRecord,
  write: Write,
  backend: Backend,
): Promise<void> {
  const dead = deadRecord()
  let base = { record: old.record, content: write.content }
  let { record } = fresh
  const complete = (attempt: number): void =>
    state.completeWrite(write, { id: fresh.id, record }, base.content, attempt)
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    if (await bury(old.id, base.record, dead, backend)) return complete(attempt)
    const latest = await readAgain(old.id, attempt, backend)
    if (isOwn(latest, dead)) return complete(attempt)
    // Somebody else has ended the old session. A sign-in stands nevertheless: somebody has just authenticated. For a
    // `regenerate` that is the end, and `rebase` throws.
    if (write.rotation === 'signIn' && !contentOf(latest)) {
      if (!isOwn(await backend.read(fresh.id), record)) throw sessionGone()
      return complete(attempt)
    }
    base = rebase(latest, write)
    const expiry = state.expiryToStore(write, base.content, base.record, Date.now())
    const next = recordOf(base.content, expiry, backend)
    if (!(await replaceOwn(fresh.id, next, record, backend))) throw sessionGone()
    record = next
  }
  throw conflict()
}

/**
 * Takes the place of a record that was rotated. It is no session, stays for a minute, and then is housekeeping's.
 *
 * A removal that is made twice finds nothing the second time, as if somebody had ended the session. This is found again.
 */
function deadRecord(): SessionRecord {
  return { version: freshVersion(), expiry: Date.now() + DEAD_FOR, owner: null, body: '' }
}

/** False: the old record is not, or no longer, the `live` one, or it was buried by a call that was made twice. */
async function bury(
  id: string,
  live: SessionRecord,
  dead: SessionRecord,
  backend: Backend,
): Promise<boolean> {
  try {
    return await backend.replace(id, dead, live)
  } catch (error) {
    // We do not know whether the backend replaced the record, or still will. So write the live record again with a new version:
    // if that works, the first call can no longer match. If it is refused, check whether the dead record is already stored.
    const again = { ...live, version: freshVersion() }
    const lives = await backend.replace(id, again, live).catch(() => false)
    if (!lives && isOwn(await backend.read(id).catch(() => undefined), dead)) return true
    throw error
  }
}

/** A replace of a record that only this request knows: refused, it was revoked or the reply of a success was lost. */
async function replaceOwn(
  id: string,
  record: SessionRecord,
  before: SessionRecord,
  backend: Backend,
): Promise<boolean> {
  if (await backend.replace(id, record, before)) return true
  return isOwn(await backend.read(id), record)
}
