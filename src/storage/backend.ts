// Shared by updates and rotations: making a record, recognising it again, and trying once more after a lost race.

import { freshVersion, utf8Length } from '../crypto/values.ts'
import { runUserCallback, SessionError, sessionGone } from '../errors.ts'
import type { SessionContent } from '../session/session-content.ts'
import { decodeRecord, encodeBody, type SessionRecord } from '../session/session-record.ts'
import type { Write } from '../session/session-state.ts'

/** The operations of a store that keeps records, each one atomic step. See `KeyedStore`. */
export interface Backend {
  readonly maxSessionBytes: number
  read(id: string): Promise<SessionRecord | undefined>
  insert(id: string, record: SessionRecord): Promise<boolean>
  replace(id: string, record: SessionRecord, before: SessionRecord): Promise<boolean>
  remove(id: string, version?: string): Promise<boolean>
}

/**
 * Writers that lost a race try this often before they give up with `SESSION_CONFLICT`. Each time one of them
 * wins, and the pauses spread the others out, so that two hundred at once all get through.
 */
export const MAX_ATTEMPTS = 32

/** Full jitter: before the n-th retry, a random time up to `4 × 2ⁿ` ms, but never longer than this. */
const MAX_DELAY = 500

// Kept from before any test installs fake timers: with a faked one, a retry would wait forever.
const { setTimeout } = globalThis

/** The record to write. Its size is checked here, before any backend sees it. */
export function recordOf(
  content: SessionContent,
  expiry: number | null,
  { maxSessionBytes }: Backend,
): SessionRecord {
  const body = encodeBody(content, Date.now())
  if (utf8Length(body, maxSessionBytes) > maxSessionBytes) {
    throw new SessionError(
      'SESSION_TOO_LARGE',
      `The session would exceed ${maxSessionBytes} bytes and was not stored. Keep large data elsewhere and its key in the session, or raise maxSessionBytes.`,
    )
  }
  return { version: freshVersion(), expiry, owner: content.owner, body }
}

/**
 * Is it the record that this write has made? Then the write has succeeded, though its reply was lost or it was made twice.
 * All of it is compared: a version alone may be another's, if the platform's random numbers repeat.
 */
export function isOwn(found: SessionRecord | undefined, written: SessionRecord): boolean {
  return (
    found?.version === written.version &&
    found.expiry === written.expiry &&
    (found.owner ?? null) === written.owner &&
    found.body === written.body
  )
}

/** The content of a live record; `undefined` if it is gone, has expired or cannot be read. */
export function contentOf(record: SessionRecord | undefined): SessionContent | undefined {
  return record && decodeRecord(record, Date.now())
}

/**
 * The same changes on what another request has stored. They are functions of the app (`update`), so what they throw is the app's
 * error and must not be reported as one of the store.
 */
export function rebase(
  record: SessionRecord | undefined,
  { changes }: Write,
): { record: SessionRecord; content: SessionContent } {
  const content = contentOf(record)
  if (!record || !content) throw sessionGone()
  for (const change of changes) runUserCallback(() => change.apply(content))
  return { record, content }
}

/** The latest record, after a pause that keeps writers who lost the same race from meeting again. */
export async function readAgain(
  id: string,
  attempt: number,
  backend: Backend,
): Promise<SessionRecord | undefined> {
  const delay = Math.random() * Math.min(MAX_DELAY, 4 * 2 ** attempt)
  await new Promise((resolve) => setTimeout(resolve, delay))
  return backend.read(id)
}

/** For a session that is written so often that no attempt of this request was the fastest. */
export function conflict(): SessionError {
  return new SessionError(
    'SESSION_CONFLICT',
    `Other requests changed the session ${MAX_ATTEMPTS} times while this one tried to. Nothing was stored; try again.`,
  )
}
