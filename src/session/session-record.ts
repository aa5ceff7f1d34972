// Records, on their way to a backend and back. Everything that comes back is checked, because it may have been written by an
// older version, by another program or by somebody with access to the database. A record that does not pass is no session,
// and never an error: the visitor could do nothing about it.

import { isAcceptable, isSuspicious, MAX_DEPTH } from './json-limits.ts'
import { LAST_INSTANT } from './lifetime.ts'
import type { Flash, SessionContent } from './session-content.ts'

/** One session in a backend, which stores all four fields and understands none but `owner`. */
export interface SessionRecord {
  /** Fresh for every write; `replace` and `remove` compare it. */
  readonly version: string
  /** Epoch milliseconds, `null` for never. For housekeeping: the library checks it itself at every load. */
  readonly expiry: number | null
  /** Whom the session belongs to, for `recordsOf`. */
  readonly owner: string | null
  /** Opaque text. */
  readonly body: string
}

/** Bodies of another format are no sessions; raise it when the shape below changes. */
const FORMAT = 1

/** Clocks differ, but not by this much (milliseconds): a session from further ahead has senseless times. */
const MAX_CLOCK_SKEW = 86_400_000

/**
 * One JSON text: `{ v: format, n: name, c: createdAt, d: data }` and, where there are any, `i: idle, x: fixed, t: device,
 * p: persistent, u: usedAt, f: flash`. The first edition does not know `t`, `p` and `u`, and drops them when it writes.
 */
export function encodeBody(content: SessionContent, usedAt?: number): string {
  const { name, createdAt, idle, fixed, device, persistent, data, flash } = content
  return JSON.stringify({
    v: FORMAT,
    n: name,
    c: createdAt,
    i: idle ?? undefined,
    x: fixed ?? undefined,
    t: device ?? undefined,
    p: persistent ?? undefined,
    u: usedAt,
    f: Object.keys(flash).length > 0 ? flash : undefined,
    d: data,
  })
}

/** The content of a live record. Expired, corrupt, of another format or with senseless times: `undefined`, never an error. */
export function decodeRecord(record: SessionRecord, now: number): SessionContent | undefined {
  if (isExpired(record.expiry, now)) return undefined
  const content = decodeBody(record)
  return content && content.createdAt <= now + MAX_CLOCK_SKEW ? content : undefined
}

/** An expiry that is missing or no instant has passed. */
export function isExpired(expiry: unknown, now: number): boolean {
  if (expiry === null) return false
  return !(typeof expiry === 'number' && expiry > now && expiry <= LAST_INSTANT)
}

/** Left by a rotation under the old id, for a while. It has no body, and so is no session. */
export function isDead({ body }: SessionRecord): boolean {
  return body === ''
}

/** The same without a look at the clock. */
export function decodeBody({ body, owner = null }: SessionRecord): SessionContent | undefined {
  const parsed = parse(body)
  if (parsed?.v !== FORMAT) return undefined
  const { n: name, c: createdAt, i: idle = null, x: fixed = null, d: data, f: flash = {} } = parsed
  const { t: device = null, p: persistent = null, u: usedAt = null } = parsed
  const sound =
    typeof name === 'string' &&
    isInstant(createdAt) &&
    (idle === null || (typeof idle === 'number' && idle > 0)) &&
    (fixed === null || isInstant(fixed)) &&
    (owner === null || typeof owner === 'string') &&
    (device === null || typeof device === 'string') &&
    (persistent === null || typeof persistent === 'boolean') &&
    (usedAt === null || isInstant(usedAt)) &&
    isObject(data) &&
    isObject(flash) &&
    Object.values(flash).every(isFlash)
  if (!sound || (isSuspicious(body) && !couldBeSet(parsed, data))) return undefined
  const flashes = flash as Record<string, Flash>
  return {
    name,
    createdAt,
    idle,
    fixed,
    owner,
    device,
    persistent,
    usedAt,
    data,
    flash: flashes,
  }
}

/** The value of a flash may be anything that JSON holds. */
function isFlash(entry: unknown): boolean {
  return isObject(entry) && typeof entry.token === 'string'
}

/** A value of data is two levels down in the body, and a flash's three. */
function couldBeSet(parsed: object, data: object): boolean {
  return isAcceptable(data, MAX_DEPTH + 1) && isAcceptable(parsed, MAX_DEPTH + 3)
}

/** The parsed text. If it holds no object, the properties are `undefined`, or all of it is `null`. */
function parse(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An instant that a `Date` can hold, and not before 1970. */
function isInstant(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LAST_INSTANT
}
