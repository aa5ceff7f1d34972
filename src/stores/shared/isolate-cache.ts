// The memory of a `CachingStore`, which lasts from one request of an isolate to the next. A load may have begun before a
// change of the same session and end after it; counting events tells whether its result is still worth remembering.

import type { SessionRecord } from '../../session/session-record.ts'

/** The cache of one name. Plain values only: they outlive the request and the module that made them. */
export interface IsolateCache {
  /** In the order in which they came: first in, first out. */
  entries: Map<string, Entry>
  bytes: number
  maxSessions: number
  maxBytes: number
  /** Where the oldest entry is. Kept, because a map's own start is slow to find after many removals. */
  oldest: Iterator<string> | undefined
  /** Counts what this isolate has done to sessions. A count and no time: it never repeats and never goes back. */
  events: number
  /** The last event of each id. */
  changed: Map<string, number>
  /** An event that concerned every id. */
  changedAll: number
}

interface Entry {
  /** `undefined`: forgotten. It keeps its place, because a key that is removed and put in again and again makes a map slow. */
  readonly record: SessionRecord | undefined
  readonly since: number
}

/** In place of a record that is not to be believed any more. */
const FORGOTTEN: Entry = { record: undefined, since: 0 }

/** When a load began. What came after it, it may have missed. */
export interface Load {
  readonly event: number
  readonly time: number
}

const CACHES: unique symbol = Symbol.for('isolate-session.caching-store')

/** Ids whose last event is known. When there are more, loads that are under way are not remembered, whichever id they are of. */
const MAX_CHANGED = 10_000

/** Heap of an entry beside its body, about. Generous: a cache that is smaller than its bound does no harm. */
const ENTRY_BYTES = 500

/** The cache of that name, created on first use. */
export function cacheNamed(name: string): IsolateCache {
  const shared = globalThis as { [CACHES]?: Map<string, IsolateCache> }
  shared[CACHES] ??= new Map()
  let cache = shared[CACHES].get(name)
  if (!cache) {
    cache = {
      entries: new Map(),
      bytes: 0,
      maxSessions: 0,
      maxBytes: 0,
      oldest: undefined,
      events: 0,
      changed: new Map(),
      changedAll: 0,
    }
    shared[CACHES].set(name, cache)
  }
  return cache
}

/** The record under `id`, if it was loaded less than `maxAge` milliseconds ago. A clock that went back makes it too old. */
export function recall(
  { entries }: IsolateCache,
  id: string,
  maxAge: number,
): SessionRecord | undefined {
  const entry = entries.get(id)
  if (!entry) return undefined
  const age = Date.now() - entry.since
  return age >= 0 && age < maxAge ? entry.record : undefined
}

/** Called before a load, so that what happens during it is known afterwards. */
export function beginLoad({ events }: IsolateCache): Load {
  return { event: events, time: Date.now() }
}

/** Keeps what was loaded, unless something was done to the session since the load began. */
export function remember(cache: IsolateCache, id: string, record: SessionRecord, load: Load): void {
  const { changed, changedAll } = cache
  if (changedAll > load.event || (changed.get(id) ?? 0) > load.event) return
  const { version, expiry, owner, body } = record
  put(cache, id, { record: { version, expiry, owner, body }, since: load.time })
  evict(cache)
}

/** This isolate is doing or has done something to the session. */
export function forget(cache: IsolateCache, id: string): void {
  if (cache.entries.has(id)) put(cache, id, FORGOTTEN)
  if (cache.changed.size >= MAX_CHANGED && !cache.changed.has(id)) forgetLoads(cache)
  cache.changed.set(id, ++cache.events)
}

/** The same for every session of that owner. */
export function forgetOwner(cache: IsolateCache, owner: string): void {
  for (const [id, { record }] of cache.entries) {
    if (record?.owner === owner) put(cache, id, FORGOTTEN)
  }
  forgetLoads(cache)
}

/** The store was cleared. */
export function forgetAll(cache: IsolateCache): void {
  cache.entries.clear()
  cache.bytes = 0
  cache.oldest = undefined
  forgetLoads(cache)
}

/** No load that is under way may be remembered. */
function forgetLoads(cache: IsolateCache): void {
  cache.changedAll = ++cache.events
  cache.changed.clear()
}

function put(cache: IsolateCache, id: string, entry: Entry): void {
  cache.bytes += sizeOf(entry) - sizeOf(cache.entries.get(id))
  cache.entries.set(id, entry)
}

/** Removes the oldest entries until the rest fits. */
function evict(cache: IsolateCache): void {
  const { entries, maxSessions, maxBytes } = cache
  while (entries.size > 0 && (entries.size > maxSessions || cache.bytes > maxBytes)) {
    cache.oldest ??= entries.keys()
    const { value: id } = cache.oldest.next()
    if (id === undefined) cache.oldest = undefined
    else {
      cache.bytes -= sizeOf(entries.get(id))
      entries.delete(id)
    }
  }
}

/** An estimate: V8 takes one or two bytes for a character. */
function sizeOf(entry: Entry | undefined): number {
  return entry ? ENTRY_BYTES + 2 * (entry.record?.body.length ?? 0) : 0
}
