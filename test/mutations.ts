// Breaks the source in small, realistic ways, one at a time, and sees the named test go red: `npm run test:mutations`.
// With words behind it, only the mutations whose description holds one of them. Restores every file, also when interrupted.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mutations as crypto } from './mutations/crypto.ts'
import { mutations as errors } from './mutations/errors.ts'
import { mutations as hono } from './mutations/hono.ts'
import { mutations as http } from './mutations/http.ts'
import { mutations as options } from './mutations/options.ts'
import { mutations as session } from './mutations/session.ts'
import { mutations as storage } from './mutations/storage.ts'
import { mutations as stores } from './mutations/stores.ts'

export interface Mutation {
  what: string
  /** Below src, without `.ts`. */
  file: string
  from: string
  to: string
  /** The test file, below test and without `.test.ts`, and the title of a test in it that has to fail. */
  caughtBy: [file: string, title: string]
}

const MUTATIONS: Mutation[] = [
  ...session,
  ...errors,
  ...storage,
  ...crypto,
  ...http,
  ...stores,
  ...options,
  ...hono,
]

const REPORT = join(tmpdir(), `isolate-session-mutations-${process.pid}.json`)

const wanted = process.argv.slice(2)
const chosen = MUTATIONS.filter(
  ({ what }) => wanted.length === 0 || wanted.some((word) => what.includes(word)),
)
const original = new Map<string, string>()

function restore(): void {
  rmSync(REPORT, { force: true })
  for (const [path, text] of original) writeFileSync(path, text)
}
process.on('exit', restore)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** The titles of the tests that failed, of those in a file which have one of these titles. */
function failures(file: string, titles: string[]): { failed: string[]; ran: number } {
  const pattern = titles.map((title) => title.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')
  const project = ['servers', 'node'].find((name) => file.startsWith(`${name}/`)) ?? 'workerd'
  const args = ['run', '--project', project, `test/${file}.test.ts`, '-t', pattern]
  args.push('--reporter=json', `--outputFile=${REPORT}`)
  rmSync(REPORT, { force: true })
  const { signal } = spawnSync('node_modules/.bin/vitest', args, { timeout: 120_000 })
  if (signal) process.exit(1)
  if (!existsSync(REPORT)) return { failed: ['(nothing ran)'], ran: 0 }
  const report = JSON.parse(readFileSync(REPORT, 'utf8'))
  const results: { status: string; fullName: string }[] = report.testResults.flatMap(
    ({ assertionResults }: { assertionResults: [] }) => assertionResults,
  )
  return {
    failed: results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    ran: results.filter(({ status }) => status === 'passed' || status === 'failed').length,
  }
}

// A test that fails before anything is broken would catch whatever is done.
for (const [file, named] of Map.groupBy(chosen, ({ caughtBy }) => caughtBy[0])) {
  const titles = [...new Set(named.map(({ caughtBy }) => caughtBy[1]))]
  const { failed } = failures(file, titles)
  if (failed.length === 0) continue
  console.log(`✗ fails with nothing broken: ${failed.join(', ')}`)
  process.exit(1)
}

let survivors = 0
for (const { what, file, from, to, caughtBy } of chosen) {
  const path = `src/${file}.ts`
  const text = original.get(path) ?? readFileSync(path, 'utf8')
  original.set(path, text)
  if (text.split(from).length !== 2) {
    survivors++
    console.log(`✗ ${what}: the place to break is not there, or more than once`)
    continue
  }
  writeFileSync(
    path,
    text.replace(from, () => to),
  )
  const { failed, ran } = failures(caughtBy[0], [caughtBy[1]])
  writeFileSync(path, text)
  const caught = failed.some((name) => name.includes(caughtBy[1]))
  if (!caught) survivors++
  console.log(
    `${caught ? '✓' : '✗'} ${what} — ${caught ? failed[0] : `${ran} tests ran, ${failed.length} failed: ${failed[0] ?? ''}`}`,
  )
}
console.log(`${chosen.length - survivors} of ${chosen.length} mutations were caught`)
process.exitCode = survivors === 0 ? 0 : 1
