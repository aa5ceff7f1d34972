import { race } from './compare.ts'
import type { GrowthQuestion } from './questions.ts'
import { startWorkers } from './runtime.ts'
import { type Estimate, estimate } from './statistics.ts'

/** The things that grow, and the request that is measured meanwhile. */
export const CURVES = {
  sessions: { title: 'sessions in the store', path: '/read', sizes: [100, 1000, 10_000, 100_000] },
  full: {
    title: 'sessions in a full store, first write',
    path: '/begin',
    sizes: [100, 1000, 10_000, 100_000],
  },
  hot: {
    title: 'sessions in the store, one visitor after 30,000 requests',
    path: '/write',
    sizes: [100, 100_000],
  },
  keys: { title: 'keys in the session', path: '/read', sizes: [1, 3, 10, 30, 100] },
  bytes: {
    title: 'bytes in the session, read',
    path: '/read',
    sizes: [100, 500, 2000, 8000, 32_000],
  },
  bytesWritten: {
    title: 'bytes in the session, write',
    path: '/write',
    sizes: [100, 500, 2000, 8000, 32_000],
  },
} as const

export type Curve = keyof typeof CURVES

export type Growth = Record<Curve, { readonly size: number; readonly time: Estimate }[]>

/** Milliseconds to list, and to end, all sessions of an owner who has so many. */
export interface Owner {
  readonly size: number
  readonly list: number
  readonly end: number
}

const REQUESTS = 600

/** Requests that one visitor has made before the measuring begins. */
const HOT = 30_000

/** Microseconds for a whole request with a MemoryStore, Hono and all, as something grows. */
export async function measureGrowth(seconds: number): Promise<Growth> {
  const workers = await startWorkers({ growth: 'bench/subjects/growth.ts' })
  const ask = (question: Partial<GrowthQuestion>): Promise<number> => workers.ask.growth(question)
  const growth = {} as Growth
  let seed = 0
  try {
    for (const [name, { path, sizes }] of Object.entries(CURVES)) {
      const curve = name === 'bytesWritten' ? 'bytes' : (name as GrowthQuestion['curve'])
      for (const size of sizes) {
        const total = curve === 'keys' || curve === 'bytes' ? 100 : size
        if (name === 'bytesWritten') break // the sessions of the curve before
        for (let left = total; left > 0; left -= 5000) {
          await ask({ step: 'prepare', curve, size, path, n: Math.min(left, 5000), seed })
        }
        for (let left = name === 'hot' ? HOT : 0; left > 0; left -= 5000) {
          await ask({ step: 'run', curve, size, path, n: 5000, seed })
        }
      }
      const times = await race(sizes.map(String), seconds, async (size) => {
        seed += REQUESTS
        const question = {
          step: 'run',
          curve,
          size: Number(size),
          path,
          n: REQUESTS,
          seed,
        } as const
        return (await ask(question)) / REQUESTS
      })
      growth[name as Curve] = sizes.map((size) => ({
        size,
        time: estimate(times[String(size)] ?? []),
      }))
    }
  } finally {
    await workers.stop()
  }
  return growth
}

export async function measureOwner(size = 10_000): Promise<Owner> {
  const workers = await startWorkers({ growth: 'bench/subjects/growth.ts' })
  const ask = async (step: GrowthQuestion['step'], path: string, n: number): Promise<number> =>
    (await workers.ask.growth({ step, curve: 'owner', size, path, n, seed: 0 })) / 1000
  try {
    for (let left = size; left > 0; left -= 5000) await ask('prepare', '', Math.min(left, 5000))
    const lists: number[] = []
    for (let i = 0; i < 5; i++) lists.push(await ask('run', '/list', 1))
    return { size, list: estimate(lists).value, end: await ask('run', '/end', 1) }
  } finally {
    await workers.stop()
  }
}
