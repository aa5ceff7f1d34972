import type { SessionRecord } from './session-record.ts'

/** A session's record in a store, with its id. */
export interface StoredRecord {
  readonly id: string
  readonly record: SessionRecord
  /** The record is in the cookie itself, so every change needs a new cookie. */
  readonly inCookie?: boolean
}

/**
 * Where a session is in its life.
 *
 * A write remembers the life it began in. If the handler has moved on by the time it is stored, what it stored is of no use
 * any more and has to end; lives are compared by identity, so every step makes a new one.
 */
export type Life =
  /** No store has ever held it. */
  | { readonly is: 'fresh'; readonly stored?: undefined }
  /** `needsReissue`: its cookie was made with an older secret, so it is stored again even if nothing changed. */
  | { readonly is: 'stored'; readonly stored: StoredRecord; readonly needsReissue?: boolean }
  /** `destroy()` was called; the store still has the record. */
  | { readonly is: 'ending'; readonly stored: StoredRecord }
  /** Nothing is left of it, here or in the store. `id`: where it was stored, if it ever was. */
  | { readonly is: 'ended'; readonly id?: string | undefined; readonly stored?: undefined }
  /** A new session has begun in place of one whose record the store still has. */
  | { readonly is: 'replacing'; readonly stored: StoredRecord }

/** The life after `destroy()`. */
export function destroyed({ stored }: Life): Life {
  return stored ? { is: 'ending', stored } : { is: 'ended' }
}

/** The life after the first change that follows `destroy()`. */
export function begunAnew({ stored }: Life): Life {
  return stored ? { is: 'replacing', stored } : { is: 'fresh' }
}

/** The store has removed the record; what began in its place stays. */
export function withoutRecord(life: Life): Life {
  if (life.is === 'ending') return { is: 'ended', id: life.stored.id }
  return life.is === 'replacing' ? { is: 'fresh' } : life
}
