// What a session costs in workerd, as ratios within one run: `npm run bench`.
import { bundle, startIsolates } from '../test/support/isolates.ts'

const { runtime, isolates } = await startIsolates(await bundle('bench/apps.ts'))
const response = await isolates[0]?.('http://localhost/?rounds=15&n=5000')
const times = (await response?.json()) as Record<string, number[]>
await runtime.dispose()

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
const base = median(times['empty middleware'] ?? [])
for (const [name, values] of Object.entries(times)) {
  const time = median(values)
  console.log(`${name.padEnd(22)} ${time.toFixed(2).padStart(7)} µs  ${(time / base).toFixed(2)} ×`)
}
