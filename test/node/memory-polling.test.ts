import { expect, test } from 'vitest'
import { bundle, startIsolates } from '../support/isolates.ts'

/** Not in one of the suites in workerd: time stands still there until a request is answered. */
async function timesOf(path: string, rounds: number): Promise<number[]> {
  const { runtime, isolates } = await startIsolates(await bundle('test/support/polling-worker.ts'))
  try {
    const ask = isolates[0] ?? expect.fail('one isolate was asked for')
    expect(await (await ask('http://x/fill')).text()).toBe('100000')
    const times: number[] = []
    for (let i = 0; i < rounds; i++) {
      const start = performance.now()
      await ask(`http://x/${path}`)
      times.push(performance.now() - start)
    }
    return times
  } finally {
    await runtime.dispose()
  }
}

test.each([
  ['reads and writes', 'poll'],
  ['signs in and out', 'in-and-out'],
])(
  'Y3 one visitor who %s thirty thousand times is served as fast at the end as at first',
  async (_what, path) => {
    const times = await timesOf(path, 30)
    const first = Math.min(...times.slice(0, 4))
    const last = Math.min(...times.slice(-4))
    expect(last).toBeLessThan(first * 3 + 5)
  },
)
