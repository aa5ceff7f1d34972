// Signing out everywhere has to reach sessions that are being rotated while it runs, and has to end even if somebody keeps
// signing in. The first asks for another look after each removal, the second for a limit to what another look may find.

import { SessionError } from '../errors.ts'
import { decodeBody, type SessionRecord } from '../session/session-record.ts'

/** A record, and the id that it is kept under. */
export type OwnedRecord = [id: string, record: SessionRecord]

/** Which sessions of an owner are to end. */
export interface Selection {
  /** The id of one that stays. */
  readonly except: string | undefined
  /** Only those of the middleware of this name. */
  readonly name: string | undefined
}

/** An owner's records, batch by batch, as they are now. */
export type Listing = () => AsyncIterable<OwnedRecord[]>

/** A listing that still shows sessions after so many rounds of removing them is an index that lies. */
export const MAX_SIGN_OUT_ROUNDS = 32

/**
 * Ends every session that is selected, and says how many `remove` has ended.
 *
 * A request in flight may rotate a session between a listing and its removal, so it goes on until a listing shows none.
 * Whoever signs in after the call began may stay: somebody who goes on doing so must not keep it from ending.
 */
export async function endSessions(
  list: Listing,
  remove: (records: OwnedRecord[]) => Promise<number>,
  selection: Selection,
): Promise<number> {
  const began = Date.now()
  let ended = 0
  for (let round = 0; ; round++) {
    const found: OwnedRecord[] = []
    const endedBefore = ended
    for await (const records of list()) {
      const doomed = records.filter(
        (each) => isSelected(each, selection) && (round === 0 || beginningOf(each) <= began),
      )
      found.push(...doomed)
      ended += await remove(doomed)
    }
    if (found.length === 0) return ended
    if (round < MAX_SIGN_OUT_ROUNDS) continue
    // Signed in within the same millisecond, again and again.
    const areNew = found.every((each) => beginningOf(each) === began)
    if (areNew && ended > endedBefore) return ended
    throw listsForEver()
  }
}

function isSelected([id, record]: OwnedRecord, { except, name }: Selection): boolean {
  return id !== except && (name === undefined || decodeBody(record)?.name === name)
}

/** A record that cannot be read is as old as can be. */
function beginningOf([, record]: OwnedRecord): number {
  return decodeBody(record)?.createdAt ?? 0
}

function listsForEver(): SessionError {
  return new SessionError(
    'STORE_FAILED',
    'The store goes on listing sessions of this owner after they were removed. Check its recordsOf() and try again.',
  )
}
