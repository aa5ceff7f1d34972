import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { OPTIONS } from '../../src/options/options.ts'
import { blocksOf, isComplete, packageAliases, pages } from './guide.ts'

// Every TypeScript block of the README and of docs, as a reader would paste it. Each page has a folder of its own.
const directory = await mkdtemp(join('test', 'node', '.docs-'))
afterAll(() => rm(directory, { recursive: true }))

const ROOT = '../../../'

/** As `wrangler types` writes it, for all that the pages bind. */
const CONFIGURATION = `
  declare namespace Cloudflare {
    interface Env {
      DB: D1Database
      KV: KVNamespace
      SESSIONS: DurableObjectNamespace<import('isolate-session/durable-object').SessionObject>
      SESSION_SECRET: string
      SESSION_SECRETS: string
      AUTH_SECRET: string
      SECRET: string
      BODY_KEY: string
      LIMITER: RateLimit
    }
  }
`

async function tsconfig(): Promise<object> {
  const sources = Object.entries(await packageAliases())
  return {
    extends: `${ROOT}tsconfig.json`,
    compilerOptions: {
      types: ['node', '@cloudflare/workers-types', '@cloudflare/vitest-plugin/types'],
      noUnusedLocals: false,
      allowArbitraryExtensions: true,
      paths: Object.fromEntries(sources.map(([name, file]) => [name, [ROOT + file]])),
    },
    include: ['./**/*.ts', './**/*.tsx'],
    exclude: [],
  }
}

test('every code block compiles', async () => {
  let blocks = 0
  for (const page of await pages()) {
    for (const { language, code, file } of await blocksOf(page)) {
      if (!/^tsx?$/.test(language)) continue
      // The guide names the file that its second block imports.
      const name = code.includes('class SqliteStore') ? 'sqlite-store.ts' : file
      const path = join(directory, page.replace(/\W+/g, '-'), name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, name.endsWith('.d.ts') ? code : `${code}\nexport {}\n`)
      blocks++
    }
  }
  expect(blocks).toBeGreaterThan(30)
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(await tsconfig()))
  await writeFile(join(directory, 'worker-configuration.d.ts'), CONFIGURATION)
  expect(typeErrors(directory)).toBe('')
})

test('the examples compile', async () => {
  const { compilerOptions } = (await tsconfig()) as { compilerOptions: { paths: object } }
  for (const example of await readdir('examples')) {
    const config = join(directory, `${example}.json`)
    const base = `${ROOT}examples/${example}/`
    const { paths } = compilerOptions
    const include = [`${base}src`, `${base}test`]
    const extended = {
      extends: `${base}tsconfig.json`,
      // The package is seen as its source here.
      compilerOptions: { paths, allowImportingTsExtensions: true },
      include,
    }
    await writeFile(config, JSON.stringify(extended))
    expect(typeErrors(config)).toBe('')
  }
})

test('the example’s sessions table is the package’s', async () => {
  const migration = await readFile('examples/notes/migrations/0001_sessions.sql', 'utf8')
  expect(migration).toBe(await readFile('src/stores/d1.sql', 'utf8'))
})

function typeErrors(project: string): string {
  const tsc = ['node_modules/typescript/bin/tsc', '-p', project]
  const { stdout, stderr } = spawnSync(process.execPath, tsc, { encoding: 'utf8' })
  return stdout + stderr
}

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

test('every link between pages leads somewhere', async () => {
  const broken: string[] = []
  for (const page of await pages()) {
    const prose = (await readFile(page, 'utf8')).replace(/^```.*?^```/gms, '')
    for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : normalize(join(dirname(page), path))
      if (!existsSync(file)) broken.push(`${page}: ${target}`)
      else if (anchor !== undefined) {
        const headings = [...(await readFile(file, 'utf8')).matchAll(/^#+ (.*)$/gm)]
        const anchors = headings.map(([, heading = '']) => anchorOf(heading))
        if (!anchors.includes(anchor)) broken.push(`${page}: ${target}`)
      }
    }
  }
  expect(broken).toEqual([])
})

test('every whole Worker is run by a story', async () => {
  const folders = ['test/node', 'test/servers'].map(async (folder) =>
    (await readdir(folder)).map((file) => join(folder, file)),
  )
  const tests = (await Promise.all(folders)).flat().filter((file) => file.endsWith('.test.ts'))
  const code = await Promise.all(tests.map((file) => readFile(file, 'utf8')))
  const told = [...code.join('').matchAll(/\bstory\(\s*'([^']+)',\s*(\d+),/g)]
  const stories = new Set(told.map(([, page, index]) => `${page} ${index}`))
  // readme.test.ts
  stories.add('README.md 0')
  const workers: string[] = []
  for (const page of await pages()) {
    const complete = (await blocksOf(page)).filter(isComplete)
    workers.push(...complete.map((_block, index) => `${page} ${index}`))
  }
  expect(workers.filter((worker) => !stories.has(worker))).toEqual([])
})

/** Names in a source file: exports, options of an interface, words of a union. */
async function namesIn(file: string, pattern: RegExp): Promise<string[]> {
  return [...(await readFile(file, 'utf8')).matchAll(pattern)].map(([, name = '']) => name)
}

/** Of every entry, as the reports below api/ have them. */
async function exportedNames(): Promise<string[]> {
  const reports = await readdir('api')
  const pattern =
    /^export (?:declare )?(?:abstract )?(?:class|interface|type|function|const) (\w+)/gm
  return (await Promise.all(reports.map((file) => namesIn(`api/${file}`, pattern)))).flat()
}

test('the reference has every export, option, error code and event', async () => {
  const reference = await readFile('docs/reference.md', 'utf8')
  const exported = (await readFile('src/index.ts', 'utf8')).matchAll(/\{([^}]+)\}/g)
  const names = [
    ...[...exported].flatMap(([, list = '']) => list.replaceAll('type ', '').split(',')),
    ...Object.keys(OPTIONS['session()']),
    ...(await namesIn('src/http/with-session.ts', /^export interface (\w+)/gm)),
    ...(await namesIn('src/http/cookie.ts', /^ {2}readonly (\w+)\?:/gm)).map(
      (name) => `cookie.${name}`,
    ),
    ...(await namesIn('src/storage/memory-store.ts', /^ {2}readonly (\w+)\?:/gm)),
    ...(await namesIn('src/errors.ts', /^ {2}\| '([A-Z_]+)'/gm)),
    ...(await namesIn('src/http/session-event.ts', /'(\w+)'/g)),
    ...(await namesIn('src/session/session.ts', /^ {2}(?:get |async )?([a-z]\w+)(?:<.*>)?\(/gm)),
    ...Object.keys(await packageAliases()).map((entry) => entry.replace('isolate-session', '')),
    ...(await exportedNames()),
  ]
  const missing = names
    .map((name) => name.trim())
    .filter((name) => name !== 'constructor')
    .filter((name) => !reference.includes(name))
  expect(names.length).toBeGreaterThan(70)
  expect(missing).toEqual([])
})

/** The cells of the rows of a page's tables. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()))
}

/** Words in backticks: names, not values such as `'session:'`. */
const namesOf = (cell = ''): string[] =>
  [...cell.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name)

test('M7 the reference lists the options that session() and the stores check, and no others', async () => {
  const reference = await readFile('docs/reference.md', 'utf8')
  const sections = new Map(
    reference.split(/^## /m).map((text) => [text.split('\n', 1)[0] ?? '', rowsOf(text)]),
  )
  const { 'session()': ofSession, cookie, 'sessionCookie()': ofSessionCookie, ...stores } = OPTIONS
  const [, ...options] = (sections.get('session(options)') ?? []).filter(
    ([, name = '']) => name === 'option' || /^`[\w.]+`$/.test(name),
  )
  const expected = [
    ...Object.keys(ofSession).filter((name) => name !== 'cookie'),
    ...Object.keys(cookie).map((name) => `cookie.${name}`),
  ]
  expect(options.flatMap(([, name]) => namesOf(name)).sort()).toEqual(expected.sort())

  const listed = (sections.get('Stores') ?? []).filter((cells) => cells.length === 6)
  for (const [store, known] of Object.entries(stores)) {
    const [row = []] = listed.filter(([, name]) => name === `\`${store}\``)
    expect([store, ...namesOf(row[4])]).toEqual([store, ...Object.keys(known)])
  }
  const { length } = listed.filter(([, name = '']) => /^`\w+`$/.test(name))
  expect(length).toBe(Object.keys(stores).length)
  expect(reference).toContain(
    `sessionCookie(store, data, { ${Object.keys(ofSessionCookie).join(', ')} })`,
  )
})

const STORES: Record<string, string> = {
  DurableObjectStore: 'docs/stores.md',
  D1Store: 'docs/stores.md',
  KVStore: 'docs/stores.md',
  CachingStore: 'docs/stores.md',
  PostgresStore: 'docs/servers.md',
  MySQLStore: 'docs/servers.md',
  RedisStore: 'docs/servers.md',
  MongoDBStore: 'docs/servers.md',
}

test.each(Object.entries(STORES))(
  '%s has a table of what it promises, what it does not, and what matters to it',
  async (store, page) => {
    const [, section = ''] = (await readFile(page, 'utf8')).split(`\n## ${store}\n`)
    const [text = ''] = section.split('\n## ')
    const rows = [
      ...text.matchAll(/^\| (Promises|Does not promise|Settings|Options)\b.*? \| .{4,} \|$/gm),
    ]
    expect(rows.map(([, row]) => row)).toEqual([
      'Promises',
      'Does not promise',
      'Settings',
      'Options',
    ])
  },
)

test('llms.txt names no method, option or class that is not there', async () => {
  const reference = await readFile('docs/reference.md', 'utf8')
  const page = await readFile('llms.txt', 'utf8')
  const told = page.slice(0, page.indexOf('## Do not'))
  const spans = [...told.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
  const names = spans.flatMap((code) => [
    ...[...code.matchAll(/\b(?:session|store)\.(\w+)\(/g)].map(([, name = '']) => `${name}(`),
    ...[...code.matchAll(/\b\w+Store\b/g)].map(([name]) => name),
    ...[...code.matchAll(/\b(\w+): /g)].map(([, name = '']) => name),
  ])
  expect(names.length).toBeGreaterThan(25)
  const ofTheApp = ['c', 'notice']
  const isKnown = (name: string): boolean => reference.includes(name) || ofTheApp.includes(name)
  expect([...new Set(names)].filter((name) => !isKnown(name))).toEqual([])
})

test('every message in troubleshooting is one that the source has', async () => {
  const page = await readFile('docs/troubleshooting.md', 'utf8')
  const files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'))
  const texts = await Promise.all(files.map((file) => readFile(join('src', file), 'utf8')))
  // As a reader sees it: in one piece, with something in place of every name.
  const source = texts
    .join('\n')
    .replaceAll(/['`] \+\s+['`]/g, '')
    .replaceAll(/\$\{[^}]*\}/g, '…')
  const messages = [...page.matchAll(/^### `(.+)`$/gm)].map(([, message = '']) => message)
  expect(messages.length).toBeGreaterThan(15)
  expect(messages.filter((message) => !source.includes(message))).toEqual([])
})
