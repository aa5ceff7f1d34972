import type { SessionContent } from './content.js'
import { idOf, randomValue, randomVersion, utf8Length } from './crypto.js'
import { runUserCallback, SessionError, sessionGone } from './errors.js'
import { decodeRecord, encodeBody, type SessionRecord } from './session-record.js'
import type { SessionState, StoredRecord, Write } from './session-state.js'

/** The verbs of a store that keeps records; each one atomic step. See `KeyedStore`. */
export interface Backend {
  readonly maxSessionBytes: number
  read(id: string): Promise<SessionRecord | undefined>
  insert(id: string, record: SessionRecord): Promise<boolean>
  replace(id: string, record: SessionRecord, version: string): Promise<boolean>
  remove(id: string, version?: string): Promise<boolean>
}

/** Writers that lost a race try this often before they give up with `SESSION_CONFLICT`. */
const MAX_ATTEMPTS = 32

/** Full jitter: before the n-th retry, a random time up to `4 × 2ⁿ` ms, but never longer than this. */
const MAX_DELAY = 500

/** 256 random bits do not collide; a generator or a backend that makes them is broken. */
const MAX_INSERTS = 4

// Taken here, so that a test which fakes timers does not stop a retry for ever.
const { setTimeout } = globalThis

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

async function create(state: SessionState, write: Write, backend: Backend): Promise<string> {
  const { value, stored } = await insertNew(state, write, undefined, backend)
  state.completeWrite(write, stored)
  return value
}

async function update(
  state: SessionState,
  { id, record }: StoredRecord,
  write: Write,
  backend: Backend,
): Promise<undefined> {
  let base = { record, content: write.content }
  for (state.attempts = 1; state.attempts <= MAX_ATTEMPTS; state.attempts++) {
    const { content } = base
    const expiry = state.expiryToStore(write, content, base.record, Date.now())
    const isSame = write.changes.length === 0 && expiry === base.record.expiry
    const next = isSame ? base.record : recordOf(content, expiry, backend)
    if (next === base.record || (await backend.replace(id, next, base.record.version))) {
      return void state.completeWrite(write, { id, record: next }, content)
    }
    const latest = await readAgain(id, state.attempts, backend)
    // A reply that was lost: the record is the one that this write has made.
    if (latest?.version === next.version) {
      return void state.completeWrite(write, { id, record: next }, content)
    }
    base = rebase(latest, write)
  }
  throw conflict()
}

async function rotate(
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

/** Removes `old`, after carrying over to `fresh` what other requests have changed in it meanwhile. */
async function supersede(
  state: SessionState,
  old: StoredRecord,
  fresh: StoredRecord,
  write: Write,
  backend: Backend,
): Promise<void> {
  let base = { record: old.record, content: write.content }
  let { record } = fresh
  for (state.attempts = 1; state.attempts <= MAX_ATTEMPTS; state.attempts++) {
    if (await backend.remove(old.id, base.record.version)) {
      return state.completeWrite(write, { id: fresh.id, record }, base.content)
    }
    const latest = await readAgain(old.id, state.attempts, backend)
    // A sign-in stands even if the session it came from has ended: somebody has just authenticated.
    if (write.rotation === 'signIn' && !contentOf(latest)) {
      if ((await backend.read(fresh.id))?.version !== record.version) throw sessionGone()
      return state.completeWrite(write, { id: fresh.id, record }, base.content)
    }
    base = rebase(latest, write)
    const expiry = state.expiryToStore(write, base.content, base.record, Date.now())
    const next = recordOf(base.content, expiry, backend)
    if (!(await replaceOwn(fresh.id, next, record.version, backend))) throw sessionGone()
    record = next
  }
  throw conflict()
}

/** Puts a new record under a value that nobody has yet. */
async function insertNew(
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
    const inserted = await backend.insert(id, record)
    if (inserted || (await backend.read(id))?.version === record.version) {
      return { value, stored: { id, record } }
    }
  }
  throw new SessionError(
    'STORE_FAILED',
    `The store called ${MAX_INSERTS} fresh random ids taken. Check its insert() and the platform's random numbers.`,
  )
}

/** A replace of a record that only this request knows: refused, it was revoked or the reply of a success was lost. */
async function replaceOwn(
  id: string,
  record: SessionRecord,
  version: string,
  backend: Backend,
): Promise<boolean> {
  if (await backend.replace(id, record, version)) return true
  return (await backend.read(id))?.version === record.version
}

function recordOf(
  content: SessionContent,
  expiry: number | null,
  { maxSessionBytes }: Backend,
): SessionRecord {
  const body = encodeBody(content)
  if (utf8Length(body, maxSessionBytes) > maxSessionBytes) {
    throw new SessionError(
      'SESSION_TOO_LARGE',
      `The session would exceed ${maxSessionBytes} bytes and was not stored. Keep large data elsewhere and its key in the session, or raise maxSessionBytes.`,
    )
  }
  return { version: randomVersion(), expiry, owner: content.owner, body }
}

/** What a live record says now; `undefined` when it is gone. */
function contentOf(record: SessionRecord | undefined): SessionContent | undefined {
  return record && decodeRecord(record, Date.now())
}

/** The same changes on what another request has stored. */
function rebase(
  record: SessionRecord | undefined,
  { changes }: Write,
): { record: SessionRecord; content: SessionContent } {
  const content = contentOf(record)
  if (!record || !content) throw sessionGone()
  for (const change of changes) runUserCallback(() => change.apply(content))
  return { record, content }
}

/** The latest record, after a pause that keeps writers who lost the same race from meeting again. */
async function readAgain(
  id: string,
  attempt: number,
  backend: Backend,
): Promise<SessionRecord | undefined> {
  const delay = Math.random() * Math.min(MAX_DELAY, 4 * 2 ** attempt)
  await new Promise((resolve) => setTimeout(resolve, delay))
  return backend.read(id)
}

function conflict(): SessionError {
  return new SessionError(
    'SESSION_CONFLICT',
    `Other requests changed the session ${MAX_ATTEMPTS} times while this one tried to. Nothing was stored; try again.`,
  )
}
