import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

// The public types of each entry, in one file each below api/. A change of the public types is a change of these
// files, and so of what a reviewer sees. `npx vitest run --project node test/node/api.test.ts -u` writes them.

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const entries = Object.entries<{ types: string }>(manifest.exports)
  .filter(([path]) => path !== './package.json')
  .map(([path, { types }]): [entry: string, file: string] => [
    path.replace('./', '') || '.',
    types.replace('./dist/', ''),
  ])

const directory = mkdtempSync(join(tmpdir(), 'api-'))
afterAll(() => rmSync(directory, { recursive: true }))

const built = spawnSync(
  'node_modules/.bin/tsc',
  [
    '-p',
    'tsconfig.build.json',
    '--emitDeclarationOnly',
    '--declarationMap',
    'false',
    '--outDir',
    directory,
  ],
  { encoding: 'utf8' },
)

/** The declarations that a file exports itself, by their names, without their comments. */
function declarationsOf(file: string): Map<string, string> {
  const code = readFileSync(join(directory, file), 'utf8').replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '')
  const found = new Map<string, string>()
  for (const block of code.split(/^(?=export |declare |import |type |interface |\/\/)/m)) {
    const [, name] =
      /^export (?:declare )?(?:abstract )?(?:class|interface|type|function|const) (\w+)/.exec(
        block,
      ) ?? []
    if (name) found.set(name, (found.get(name) ?? '') + block.trimEnd())
  }
  return found
}

/** Everything that an entry exports: its own, and what it passes on. */
function publicOf(file: string): Map<string, string> {
  const code = readFileSync(join(directory, file), 'utf8')
  const found = declarationsOf(file)
  for (const [, list = '', from = ''] of code.matchAll(
    /^export (?:type )?\{([^}]*)\} from '([^']+)'/gm,
  )) {
    const source = publicOf(join(dirname(file), from.replace(/\.ts$/, '.d.ts')))
    for (const item of list.split(',')) {
      const name = item.trim().replace(/^type /, '')
      if (name === '') continue
      const declaration = source.get(name)
      if (!declaration) throw new Error(`${file} exports ${name}, which ${from} does not declare`)
      found.set(name, declaration)
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Names that come from elsewhere: the language, the platform, Hono. */
const ELSEWHERE = new Set(
  (
    'Promise Date Error Record Readonly Partial Omit Pick Exclude NonNullable Parameters Required Iterable IterableIterator ' +
    'AsyncGenerator AsyncIterable Response Request RequestInit WebSocket ExecutionContext DurableObject ' +
    'ErrorOptions PromiseLike Context MiddlewareHandler Next Variables Uint8Array ArrayBuffer String'
  ).split(' '),
)

test('the types are emitted', () => {
  expect(built.stdout + built.stderr).toBe('')
})

test.each(entries)('%s shows what its report says', async (entry, file) => {
  const text = [...publicOf(file).values()].join('\n\n')
  await expect(`${text}\n`).toMatchFileSnapshot(
    `../../api/${entry === '.' ? 'isolate-session' : entry}.txt`,
  )
})

test.each(entries)(
  '%s exports every name that its signatures use, or a main entry does',
  (_entry, file) => {
    const exported = new Map([
      ...publicOf('index.d.ts'),
      ...publicOf('stores/sql.d.ts'),
      ...publicOf(file),
    ])
    const missing = [...publicOf(file)].flatMap(([name, declaration]) => {
      const code = declaration
        .replace(/^.*#private;.*$/gm, '')
        .replace(/'[^']*'|"[^"]*"|`[^`]*`/g, '')
        .replace(/\bprotected\b.*$/gm, '')
      const ownParameters = new Set(
        [...declaration.matchAll(/[<,]\s*(?:const |in |out )?([A-Z]\w*)(?= extends| =|,|>)/g)].map(
          ([, parameter]) => parameter,
        ),
      )
      return [...code.matchAll(/(?<![.\w])[A-Z][A-Za-z0-9]*\b(?!\??:)/g)]
        .map(([used]) => used)
        .filter((used) => /[a-z]/.test(used) && !ownParameters.has(used) && !ELSEWHERE.has(used))
        .filter((used) => !exported.has(used))
        .map((used) => `${name} uses ${used}`)
    })
    expect([...new Set(missing)]).toEqual([])
  },
)

/** The members of a declaration that have no comment above them, and its own name if that has none. */
function undocumented(code: string, name: string): string[] {
  const missing: string[] = []
  let isDocumented = false
  let isInside = false
  for (const line of code.split('\n')) {
    const start = new RegExp(
      `^export (?:declare )?(?:abstract )?(?:class|interface|type|function|const) ${name}\\b`,
    ).exec(line)
    const member = /^ {4}(?:(?:readonly|protected|abstract|static|get|set) )*(\w+)\??[(:<]/.exec(
      line,
    )?.[1]
    const isHidden = /^ {4}private |#private/.test(line)
    if (start) {
      isInside = true
      if (!isDocumented) missing.push(name)
    } else if (isInside && member && !isHidden && !isDocumented) missing.push(`${name}.${member}`)
    if (/^\}/.test(line) || (start && line.endsWith(';'))) isInside = false
    // A comment that begins with a tag hides what the class says about itself.
    const saysNothing = /\/\*\* @(?!inheritDoc)/.test(line)
    isDocumented = line.trimEnd().endsWith('*/') && !saysNothing
  }
  return missing
}

test('every public name and member says what it is for', () => {
  const names = new Set(entries.flatMap(([, file]) => [...publicOf(file).keys()]))
  const missing = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.d.ts'))
    .flatMap((file) => {
      const code = readFileSync(join(directory, file), 'utf8')
      return [...names].flatMap((name) => undocumented(code, name))
    })
  expect(missing).toEqual([])
})
