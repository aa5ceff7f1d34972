// The content of a session in memory. `null` and not `undefined` stands for what is not set, so that every content has the
// same shape and V8 keeps one hidden class for all of them.

/** The content of a session: everything in the body of its record, and its owner. */
export interface SessionContent {
  /** The middleware's `name`: a value issued under one is not accepted under another. */
  name: string
  createdAt: number
  idle: number | null
  fixed: number | null
  owner: string | null
  /** The owner's device, for a list of devices. */
  device: string | null
  /** Whether the cookie outlives the browser; `null`: as the middleware's `cookie.persistent` says. */
  persistent: boolean | null
  /** When the record was last written; `null`: the first edition wrote it, which did not say. */
  usedAt: number | null
  data: Record<string, unknown>
  flash: Record<string, Flash>
}

/** A value to be read once. The token tells it from a newer one under the same key. */
export interface Flash {
  readonly token: string
  readonly value: unknown
}

/** The name of sessions that were stored outside a middleware, and the middleware's default. */
export const DEFAULT_NAME = 'session'

/** A session in which nothing was written yet. */
export function emptyContent(name: string, createdAt: number): SessionContent {
  return {
    name,
    createdAt,
    idle: null,
    fixed: null,
    owner: null,
    device: null,
    persistent: null,
    usedAt: null,
    data: {},
    flash: {},
  }
}

/** A property of its own, never one that every object has. */
export function ownProperty<T>(record: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** Puts a value under `key`, or nothing; a flash there is over either way. */
export function setOrDelete(content: SessionContent, key: string, value: unknown): void {
  delete content.flash[key]
  if (value === undefined) delete content.data[key]
  else content.data[key] = value
}
