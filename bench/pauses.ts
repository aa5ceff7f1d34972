import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from '../test/support/isolates.ts'

/** Milliseconds for which one insert held up everybody else, and nobody but V8's collector is to blame for the second. */
export interface Pauses {
  readonly inserts: number
  /** Half of all inserts took less. */
  readonly median: number
  /** The longest in which no collection fell. */
  readonly longest: number
  /** The longest of all. */
  readonly withCollection: number
}

/** While the store grows to its bound, and while it is full, so that each insert evicts somebody. */
export type Phases = Record<'growing' | 'full', Pauses>

/** All signed in, each by themselves, so that an eviction has an owner's index to keep as well. */
const PROGRAM = `
  import { PerformanceObserver } from 'node:perf_hooks'
  import { insertRecord, newPartition } from './library.mjs'
  const SESSIONS = 100_000
  const body = JSON.stringify({ v: 1, n: 'session', c: Date.now(), d: { text: 'x'.repeat(180) } })
  const partition = Object.assign(newPartition(), { maxEntries: SESSIONS, maxBytes: 2 ** 40 })
  const collections = []
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  let n = 0
  const insert = (count) => {
    const ops = []
    for (let i = 0; i < count; i++) {
      const id = String(n).padStart(43, 'a')
      const record = { version: 'v' + n, expiry: Date.now() + 86_400_000, owner: 'owner' + n++, body: body + n }
      const start = performance.now()
      insertRecord(partition, id, record)
      ops.push([start, performance.now()])
    }
    return ops
  }
  const pausesOf = async (ops) => {
    await new Promise((resolve) => setTimeout(resolve, 200)) // until the observer has been told
    const falls = ([start, end]) => collections.some((gc) => gc.startTime < end && gc.startTime + gc.duration > start)
    const sorted = ops.map(([start, end]) => [end - start, start, end]).sort((a, b) => b[0] - a[0])
    return {
      inserts: ops.length,
      median: sorted[ops.length >> 1][0],
      longest: sorted.find(([, start, end]) => !falls([start, end]))[0],
      withCollection: sorted[0][0],
    }
  }
  const growing = await pausesOf(insert(SESSIONS))
  const full = await pausesOf(insert(2 * SESSIONS))
  if (partition.entries.size !== SESSIONS) throw new Error('It was not full.')
  console.log(JSON.stringify({ growing, full }))
`

/** In Node, which says when the collector ran: V8 is the same, and nothing here waits or encrypts. */
export async function measurePauses(): Promise<Phases> {
  const directory = await mkdtemp(join(tmpdir(), 'isolate-session-'))
  try {
    await writeFile(join(directory, 'library.mjs'), await bundle('src/storage/memory-partition.ts'))
    await writeFile(join(directory, 'program.mjs'), PROGRAM)
    const { stdout, stderr } = spawnSync(process.execPath, [join(directory, 'program.mjs')], {
      encoding: 'utf8',
    })
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout)
  } finally {
    await rm(directory, { recursive: true })
  }
}
