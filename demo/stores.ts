import type { Context } from 'hono'
import { CookieStore, MemoryStore, type SessionStore } from '../src/index.js'

export interface Bindings {
  SESSION_SECRET: string
}

export const MAX_BYTES = 33_554_432

const memory = new MemoryStore({ maxBytes: MAX_BYTES })

/** What `:store` in a path may be. A store that needs a binding is made for each request. */
export const stores: Readonly<Record<string, (c: Context) => SessionStore>> = {
  memory: () => memory,
  cookie: (c: Context<{ Bindings: Bindings }>) =>
    new CookieStore({ secrets: c.env.SESSION_SECRET }),
}

let isolate: { id: string; startedAt: string } | undefined

/** Which isolate answers, and what its MemoryStore holds. Drawn at the first request: there is no randomness before. */
export async function describeIsolate(): Promise<{
  id: string
  startedAt: string
  sessions: number
  bytes: number
  maxBytes: number
}> {
  isolate ??= { id: crypto.randomUUID().slice(0, 8), startedAt: new Date().toISOString() }
  return { ...isolate, sessions: await memory.count(), bytes: memory.bytes, maxBytes: MAX_BYTES }
}
