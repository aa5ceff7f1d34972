// Reads a client's answer. A client may be configured to give rows as arrays, other names or other
// types. That must never be taken for "no such session", which would sign the visitor out: it is an error.

import type { SessionRecord } from '../../session/session-record.ts'
import { answerNotUnderstood, atLeastOne } from './client.ts'

/** The result of a statement. */
export interface SqlResult {
  /** The rows of a `SELECT` or `RETURNING`: objects, with the columns by their names. */
  readonly rows: readonly unknown[]
  /** Rows inserted, updated or deleted. May include what triggers changed; 0 for a statement that changes none. */
  readonly changes: number | bigint
}

/** The columns, which may hold anything until they are checked. */
type Row = { [K in keyof SessionRecord | 'id']: unknown }

/** The rows of an answer. */
export function rowsOf({ rows }: SqlResult): readonly unknown[] {
  if (Array.isArray(rows)) return rows
  throw answerNotUnderstood('no list of rows')
}

/** Exact where a statement returns the rows it changed; else what the client counts. */
export function changesOf(sql: string, result: SqlResult): number | bigint {
  atLeastOne(result.changes)
  return sql.endsWith('RETURNING "id"') ? rowsOf(result).map(idOf).length : result.changes
}

/** The id in a row. */
export function idOf(row: unknown): string {
  const id = (row as Row | null)?.id
  if (typeof id === 'string') return id
  throw answerNotUnderstood('rows without their columns')
}

/** Values that the columns cannot hold come from the client's configuration. The body is not looked at here. */
export function toRecord(row: unknown): [id: string, record: SessionRecord] {
  const id = idOf(row)
  const { version, expiry, owner, body } = row as Row
  const instant = expiry === null ? null : integer(expiry)
  const isText = typeof version === 'string' && typeof body === 'string'
  if (isText && instant !== undefined && (owner === null || typeof owner === 'string')) {
    return [id, { version, expiry: instant, owner, body }]
  }
  throw answerNotUnderstood('columns in another type than theirs')
}

/** Drivers give a 64-bit integer as a number, a string or a bigint. */
export function integer(value: unknown): number | undefined {
  return ['number', 'string', 'bigint'].includes(typeof value) ? Number(value) : undefined
}
