/**
 * A map that knows its order of use, and its size. Plain values, and functions instead of methods: it is kept on
 * `globalThis`, where the next evaluation of this module finds it.
 *
 * The order of use is not that of the `Map`: deleting and setting one key again and again leaves a chain of holes in V8's
 * hash table, and every lookup of that key becomes slower than the one before.
 */
export interface BoundedMap<Value, Rank extends string> {
  entries: Map<string, Entry<Value, Rank>>
  /** One for each rank, the first to be evicted first. */
  queues: Record<Rank, Queue>
  /** Sum of the sizes of all entries. */
  bytes: number
  maxEntries: number
  maxBytes: number
}

/** A value, its size, its rank, and its place in the queue of that rank. */
export interface Entry<Value, Rank extends string> {
  value: Value
  size: number
  rank: Rank
  /** Keys of the neighbours in the queue. Keys rather than entries: no cycles, and nothing that is removed stays reachable. */
  older: string
  newer: string
}

/** The order of use within one rank, as keys of the two ends. */
export interface Queue {
  oldest: string
  newest: string
  count: number
}

/** In place of a key: there is no neighbour. */
const NONE = ''

/** `ranks`: the first to be evicted first. */
export function newBoundedMap<Value, Rank extends string>(
  ranks: readonly Rank[],
): BoundedMap<Value, Rank> {
  const queues = Object.fromEntries(
    ranks.map((rank) => [rank, { oldest: NONE, newest: NONE, count: 0 }]),
  ) as Record<Rank, Queue>
  return { entries: new Map(), queues, bytes: 0, maxEntries: 0, maxBytes: 0 }
}

/** Adds or replaces, as the most recently used of its rank. Evicts nothing. */
export function put<Value, Rank extends string>(
  map: BoundedMap<Value, Rank>,
  key: string,
  value: Value,
  size: number,
  rank: Rank,
): void {
  let entry = map.entries.get(key)
  if (entry) {
    unlink(map, entry)
    Object.assign(entry, { value, size, rank })
  } else {
    entry = { value, size, rank, older: NONE, newer: NONE }
    map.entries.set(key, entry)
  }
  link(map, key, entry)
}

/**
 * Makes an entry the most recently used of its rank. Constant time, and nothing for one that is so already: the visitor who
 * polls.
 */
export function use<Value, Rank extends string>(
  map: BoundedMap<Value, Rank>,
  key: string,
  entry: Entry<Value, Rank>,
): void {
  if (map.queues[entry.rank].newest === key) return
  unlink(map, entry)
  link(map, key, entry)
}

/** Takes an entry out, and gives it. Its neighbours are joined, so nothing in the map refers to it any more. */
export function remove<Value, Rank extends string>(
  map: BoundedMap<Value, Rank>,
  key: string,
): Entry<Value, Rank> | undefined {
  const entry = map.entries.get(key)
  if (!entry) return undefined
  unlink(map, entry)
  map.entries.delete(key)
  return entry
}

/**
 * The least recently used of the lowest rank that has any. Ranks are looked at in the order in which the map was made with
 * them.
 */
export function nextToEvict<Value, Rank extends string>({
  queues,
}: BoundedMap<Value, Rank>): string | undefined {
  for (const rank in queues) if (queues[rank].oldest !== NONE) return queues[rank].oldest
  return undefined
}

/** Is more in it than the bounds allow? */
export function isOver<Value, Rank extends string>({
  entries,
  bytes,
  maxEntries,
  maxBytes,
}: BoundedMap<Value, Rank>): boolean {
  return entries.size > maxEntries || bytes > maxBytes
}

/**
 * Adds up `bytes` again where it cannot be right after a write of `size`: that may exceed the bound by no more than itself.
 * A bound that was lowered looks the same, and then nothing changes.
 */
export function recount<Value, Rank extends string>(
  map: BoundedMap<Value, Rank>,
  size: number,
): void {
  if (map.bytes >= map.entries.size && map.bytes - map.maxBytes <= size) return
  map.bytes = 0
  for (const entry of map.entries.values()) map.bytes += entry.size
}

/** Whether the parts are there and fit each other, as far as that can be seen at a glance. */
export function isIntact<Rank extends string>(
  { entries, queues, bytes }: BoundedMap<unknown, Rank>,
  ranks: readonly Rank[],
): boolean {
  if (!(entries instanceof Map && Number.isInteger(bytes) && bytes >= entries.size)) return false
  let left = entries.size
  for (const rank of ranks) {
    const { oldest, newest, count } = queues?.[rank] ?? {}
    if (count !== 0 && !(entries.has(oldest) && entries.has(newest))) return false
    left -= count
  }
  return left === 0
}

/**
 * Puts an entry at the newest end of its queue. Together with `unlink` the only place that changes the order, the counts or
 * `bytes`.
 */
function link<Value, Rank extends string>(
  map: BoundedMap<Value, Rank>,
  key: string,
  entry: Entry<Value, Rank>,
): void {
  const queue = map.queues[entry.rank]
  entry.older = queue.newest
  entry.newer = NONE
  const older = map.entries.get(queue.newest)
  if (older) older.newer = key
  else queue.oldest = key
  queue.newest = key
  queue.count++
  map.bytes += entry.size
}

/** Takes an entry out of its queue, and joins its neighbours. */
function unlink<Value, Rank extends string>(
  map: BoundedMap<Value, Rank>,
  entry: Entry<Value, Rank>,
): void {
  const queue = map.queues[entry.rank]
  const older = map.entries.get(entry.older)
  const newer = map.entries.get(entry.newer)
  if (older) older.newer = entry.newer
  else queue.oldest = entry.newer
  if (newer) newer.older = entry.older
  else queue.newest = entry.older
  queue.count--
  map.bytes -= entry.size
}
