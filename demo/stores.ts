import type { SessionStore } from '../src/index.js'
import { MemoryStore } from '../src/index.js'

export const MAX_BYTES = 33_554_432

const memory = new MemoryStore({ maxBytes: MAX_BYTES })

/** What `:store` in a path may be. */
export const stores: Readonly<Record<string, SessionStore>> = { memory }

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
