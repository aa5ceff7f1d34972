import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))

/** The package's entries, by the source file behind each. */
const entries: Record<string, string> = Object.fromEntries(
  Object.entries<{ default: string }>(manifest.exports)
    .filter(([path]) => path !== './package.json')
    .map(([path, { default: file }]) => [
      path,
      file.replace('./dist/', 'src/').replace('.js', '.ts'),
    ]),
)

const importsOf = (file: string): { specifier: string; typeOnly: boolean }[] =>
  [
    ...readFileSync(file, 'utf8').matchAll(/^(import|export)\s(type\s)?[^'"]*?from '([^']+)'/gms),
  ].map(([, , type, specifier = '']) => ({ specifier, typeOnly: type !== undefined }))

/** Every file that an entry loads, and everything it loads from outside. */
function graphOf(entry: string): { files: Set<string>; outside: Set<string> } {
  const files = new Set<string>()
  const outside = new Set<string>()
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    for (const { specifier, typeOnly } of importsOf(file)) {
      if (typeOnly) continue
      if (specifier.startsWith('.')) visit(join(dirname(file), specifier))
      else outside.add(specifier)
    }
  }
  visit(entry)
  return { files, outside }
}

describe('exports', () => {
  test.each(Object.entries(entries))('%s is a file, with types beside it', (path, file) => {
    expect(() => readFileSync(file)).not.toThrow()
    const { types, default: code } = manifest.exports[path]
    expect(types).toBe(code.replace('.js', '.d.ts'))
  })

  test('jsr.json has the same, but for the one that JSR cannot resolve', () => {
    const { exports, version } = JSON.parse(readFileSync('jsr.json', 'utf8'))
    const { './durable-object': _, ...rest } = entries
    const sources = Object.entries(rest).map(([path, file]) => [path, `./${file}`])
    expect(exports).toEqual(Object.fromEntries(sources))
    expect(version).toBe(manifest.version)
  })

  test('every entry point in src has an export', () => {
    const stores = readdirSync('src', { withFileTypes: true }).some(({ name }) => name === 'stores')
      ? readdirSync('src/stores')
          .filter((file) => file.endsWith('.ts'))
          .map((file) => `src/stores/${file}`)
      : []
    const entryPoints = ['src/index.ts', 'src/fetch.ts', 'src/testing.ts', ...stores]
    expect(Object.values(entries).sort()).toEqual(entryPoints.sort())
  })
})

describe('the import graph', () => {
  test('of the core loads nothing from outside', () => {
    expect([...graphOf('src/index.ts').outside]).toEqual([])
  })

  test('of the core holds no store with a backend and nothing for tests', () => {
    const { files } = graphOf('src/index.ts')
    for (const file of files) expect(file).not.toMatch(/stores|testing/)
  })

  test.each(Object.values(entries))(
    'of %s has no node:, no driver and nothing but Hono',
    (entry) => {
      for (const specifier of graphOf(entry).outside) {
        expect(specifier).toMatch(
          entry.endsWith('durable-object.ts') ? /^cloudflare:workers$|^hono/ : /^hono/,
        )
      }
    },
  )

  const FOLDERS: Record<string, string[]> = {
    '.': ['hono', 'http', 'session', 'storage', 'testing'], // entry points, and errors.ts, which everybody may import
    options: [],
    session: ['options'],
    crypto: [],
    storage: ['options', 'session', 'crypto'],
    http: ['options', 'session', 'crypto', 'storage/session-store'],
    hono: ['options', 'session', 'crypto', 'storage/session-store', 'http'],
    'stores/shared': ['options', 'session', 'crypto', 'storage'],
    stores: ['options', 'session', 'crypto', 'storage', 'stores/shared'],
    testing: ['options', 'session', 'crypto', 'storage', 'http/cookie', 'testing/rules'],
    'testing/rules': ['session', 'crypto', 'testing'],
  }

  test('points one way, from folder to folder', () => {
    const wrong = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const from = dirname(file)
        return importsOf(join('src', file))
          .filter(({ specifier }) => specifier.startsWith('.'))
          .map(({ specifier }) => join(from, specifier).replace(/\.ts$/, ''))
          .filter((to) => dirname(to) !== from && to !== 'errors')
          .filter((to) => !FOLDERS[from]?.some((folder) => [dirname(to), to].includes(folder)))
          .map((to) => `${file} → ${to}`)
      })
    expect(wrong).toEqual([])
  })

  test.each(['src/fetch.ts', 'src/storage/memory-store.ts', 'src/storage/cookie-store.ts'])(
    'of %s knows no framework, not even its types',
    (entry) => {
      const seen = new Set<string>()
      const visit = (file: string): void => {
        if (seen.has(file)) return
        seen.add(file)
        for (const { specifier } of importsOf(file)) {
          expect(specifier).toMatch(/^\./)
          visit(join(dirname(file), specifier))
        }
      }
      visit(entry)
      expect([...seen].filter((file) => file.includes('hono'))).toEqual([])
    },
  )

  test('writes `any` once: a session with any data', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    const uses = files.filter(
      (name) =>
        name.endsWith('.ts') && readFileSync(join('src', name), 'utf8').includes('noExplicitAny'),
    )
    expect(uses).toEqual([join('session', 'session.ts')])
  })

  test('uses neither Buffer nor process', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    const uses = files
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => readFileSync(join('src', name), 'utf8').split('\n'))
      .filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line))
      .filter((line) => /\bBuffer\b|\bprocess\.|from 'node:/.test(line))
    expect(uses).toEqual([])
  })
})

test('the peer range leaves out versions of Hono with known advisories', () => {
  expect(manifest.peerDependencies).toEqual({ hono: '>=4.12.21 || >=5.0.0-0' })
  expect(manifest.dependencies).toBeUndefined()
  expect(manifest.sideEffects).toBe(false)
})
