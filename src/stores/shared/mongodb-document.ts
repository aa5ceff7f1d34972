// Records as documents, and filters that mean what they say. The driver gives what its own options tell it to, so every answer
// is checked before it is believed.

import type { SessionRecord } from '../../session/session-record.ts'
import { answerNotUnderstood } from './client.ts'
import { withoutData } from './error-redaction.ts'

/** A record as a document. The expiry is a date, because a TTL index looks at nothing else. */
export interface SessionDocument extends Omit<SessionRecord, 'expiry'> {
  readonly _id: string
  readonly expiry: Date | null
}

/** Every value under `$eq`, so that none is taken for an operator. */
export function equal(fields: Record<string, string>): Record<string, { $eq: string }> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, { $eq: value }]))
}

/** A filter for documents that have not expired. MongoDB deletes expired ones only about once a minute, so queries skip them. */
export function isLive(): { $or: object[] } {
  return { $or: [{ expiry: null }, { expiry: { $gt: new Date(Date.now()) } }] }
}

/** A write that the server does not confirm may not have happened. */
export function acknowledged<T>(result: T): T {
  if ((result as { acknowledged?: unknown } | undefined)?.acknowledged !== false) return result
  throw answerNotUnderstood('no confirmation of a write: leave its write concern at `majority`')
}

/** Removes the values that were sent from an error: some of the server's messages quote the document. */
export async function hiding<T>(
  reply: Promise<T>,
  ...sent: (string | SessionRecord)[]
): Promise<T> {
  try {
    return await reply
  } catch (error) {
    const values = sent.flatMap((each) => (typeof each === 'string' ? each : Object.values(each)))
    throw withoutData(error, values)
  }
}

/** The record as it is stored. Never expiring is `null`, at which a TTL index does not look. */
export function toDocument(
  id: string,
  { version, expiry, owner, body }: SessionRecord,
): SessionDocument {
  return { _id: id, version, expiry: expiry === null ? null : new Date(expiry), owner, body }
}

/** Fields of another type are a record that is corrupt; without an `_id` it is the client that is not understood. */
export function toRecord(document: unknown): [id: string, record: SessionRecord] {
  const { _id, version, expiry, owner, body } = Object(document) as SessionDocument
  if (typeof _id !== 'string') throw answerNotUnderstood('documents without their fields')
  return [_id, { version, expiry: expiry === null ? null : Number(expiry), owner, body }]
}
