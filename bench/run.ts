// What a session costs in workerd, beside the other libraries: `npm run bench`, `npm run bench -- --quick --check`.
// `--quick`: fewer rounds, no load test, and docs stay as they are. `--check`: fails if a bar is missed. `--ours`: the
// yardsticks and this library only, and nothing but the comparison; the fewer share a runtime, the less noise.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { barsOf, isMissed, noiseOf, type Results, SEALED_PEERS } from './bars.ts'
import { COLD, measureCold } from './cold.ts'
import { type Comparison, compare, SUBJECTS, type Subject } from './compare.ts'
import { drawComparison } from './draw-comparison.ts'
import { drawGrowth } from './draw-growth.ts'
import { measureGrowth, measureOwner } from './growth.ts'
import { measureLoad } from './load.ts'
import { measureMemory } from './memory.ts'
import { measurePauses } from './pauses.ts'
import { WORKS, type Work } from './questions.ts'
import { measureSizes } from './size.ts'

const isQuick = process.argv.includes('--quick')
const isOurs = process.argv.includes('--ours')
const subjects = (Object.keys(SUBJECTS) as Subject[]).filter(
  (name) => !isOurs || ['yardstick', 'ours'].includes(SUBJECTS[name].kind),
)

console.log('A session’s own time in µs, and as a multiple of the floor. Less is better.\n')
const comparison = await compare({
  subjects,
  works: WORKS,
  runtimes: isQuick ? 2 : 5,
  seconds: isQuick ? 2 : 10,
})
printComparison(comparison)
console.log(
  `\nNoise: two identical subjects differ by up to ${noiseOf(comparison).toFixed(1)} µs. Smaller differences mean nothing.`,
)
if (isOurs) process.exit()

const growth = await measureGrowth(isQuick ? 1 : 4)
const results: Results = {
  comparison,
  growth,
  owner: await measureOwner(),
  cold: await measureCold(isQuick ? 1 : 10),
  memory: await measureMemory(),
  pauses: await measurePauses(),
  sizes: await measureSizes(),
}
console.log('\nMicroseconds for a request, Hono and all, as something grows')
for (const [curve, points] of Object.entries(growth)) {
  const all = points.map(({ size, time }) => `${size}: ${time.value.toFixed(1)}`)
  console.log(`  ${curve.padEnd(14)} ${all.join('   ')}`)
}

const { owner, cold = {}, pauses, sizes } = results
console.log(
  `\nAn owner with ${owner?.size} sessions: ${owner?.list.toFixed(1)} ms to list them, ${owner?.end.toFixed(1)} ms to end them`,
)

console.log(
  '\nMilliseconds of the longest insert of 100,000 into a store that grows, and of 200,000 into a full one',
)
for (const [phase, { longest, withCollection }] of Object.entries(pauses ?? {})) {
  console.log(
    `  ${phase.padEnd(38)} ${longest.toFixed(1)}, with a collection ${withCollection.toFixed(1)}`,
  )
}

console.log('\nProcessor milliseconds from a fresh isolate to its first answer')
for (const name of COLD) {
  const { value = Number.NaN } = cold[name] ?? {}
  const ratio = value / (cold.bare?.value ?? Number.NaN)
  console.log(`  ${SUBJECTS[name].title.padEnd(38)} ${value.toFixed(1)} (${ratio.toFixed(2)})`)
}

console.log('\nBytes of the core, minified, by its folders; and what of them are messages')
for (const [part, bytes] of Object.entries(sizes.parts)) {
  console.log(`  ${part.padEnd(38)} ${String(bytes).padStart(6)}`)
}

console.log('\nBytes of heap for a session, by its bytes of JSON')
const heaps = results.memory.curve.map(({ size, bytes }) => `${size}: ${bytes.toFixed(0)}`)
console.log(`  ${heaps.join('   ')}`)

const load = isQuick ? [] : await measureLoad(3, 2)
if (load.length > 0) console.log('\nOver HTTP, 16 connections')
for (const { title, requestsPerSecond, p99 } of load) {
  const ratio = requestsPerSecond / (load[0]?.requestsPerSecond ?? Number.NaN)
  const figures = `${requestsPerSecond.toFixed(0).padStart(7)} requests/s (${ratio.toFixed(2)} ×)`
  console.log(`  ${title.padEnd(22)} ${figures}, p99 ${p99.toFixed(1)} ms`)
}

console.log('\nBars')
const bars = barsOf(results)
for (const bar of bars) {
  const verdict =
    bar.value <= bar.stretch ? 'better still' : bar.value <= bar.bar ? 'holds' : 'MISSED'
  const value = bar.value < 10 ? bar.value.toFixed(2) : bar.value.toFixed(0)
  console.log(`  ${bar.what.padEnd(44)} ${value.padStart(6)}  (${bar.bar})  ${verdict}`)
}

if (!isQuick) {
  const about = { date: new Date().toISOString().slice(0, 10), versions: versions() }
  const json = JSON.stringify({ about, ...results, load, bars }, null, 2)
  await writeFile('bench/results.json', `${json.replaceAll(/(\d+\.\d\d)\d+/g, '$1')}\n`)
  for (const theme of ['light', 'dark'] as const) {
    await writeFile(`docs/performance-${theme}.svg`, drawComparison(comparison, cold, about, theme))
    await writeFile(`docs/growth-${theme}.svg`, drawGrowth(growth, results.memory, about, theme))
  }
  console.log('\nWritten: bench/results.json, docs/performance-*.svg, docs/growth-*.svg')
}
if (process.argv.includes('--check') && bars.some(isMissed)) process.exitCode = 1

function printComparison(comparison: Comparison): void {
  const floorOf = (name: Subject): Subject =>
    SEALED_PEERS.includes(name) || name === 'cookie' ? 'floorSealed' : 'floor'
  console.log(`${' '.repeat(38)}${WORKS.map((work) => work.padStart(16)).join('')}`)
  for (const name of subjects) {
    if (name === 'loop') continue
    const cells = WORKS.map((work) => cell(comparison, name, floorOf(name), work).padStart(16))
    console.log(SUBJECTS[name].title.padEnd(38) + cells.join(''))
  }
}

function cell(comparison: Comparison, name: Subject, yardstick: Subject, work: Work): string {
  const overhead = comparison[name]?.[work]?.overhead
  const floor = comparison[yardstick]?.[work]?.overhead
  if (overhead === undefined || floor === undefined) return '–'
  if (work === 'untouched' || name === 'bare') return overhead.toFixed(1)
  return `${overhead.toFixed(1)} ${`(${(overhead / floor).toFixed(2)})`.padStart(7)}`
}

/** Of everything that is compared, as installed. */
function versions(): Record<string, string> {
  const read = (path: string): Record<string, Record<string, string>> =>
    JSON.parse(readFileSync(path, 'utf8'))
  const { dependencies = {} } = read('bench/package.json')
  const { devDependencies = {} } = read('package.json')
  const { version: workerd } = read('node_modules/workerd/package.json')
  return { workerd: String(workerd), hono: devDependencies.hono ?? '', ...dependencies }
}
