import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Miniflare } from 'miniflare'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bundle, startIsolates } from '../support/isolates.ts'
import { Visitor } from '../support/visitor.ts'

const post = { method: 'POST' }
let code = ''
const runtimes: Miniflare[] = []

async function start(...args: Parameters<typeof startIsolates>) {
  const started = await startIsolates(...args)
  runtimes.push(started.runtime)
  return started
}

beforeAll(async () => {
  code = await bundle('test/support/story-worker.ts')
})

afterEach(async () => {
  await Promise.all(runtimes.splice(0).map((runtime) => runtime.dispose()))
})

describe('Y2 MemoryStore lives as long as one isolate', () => {
  test('another isolate does not know its sessions, and leaves their cookies alone', async () => {
    const { isolates } = await start(code, 2)
    const [here, there] = isolates
    if (!here || !there) throw new Error('two isolates were asked for')
    const ada = new Visitor(here)
    await ada.visit('/count', post)
    const elsewhere = new Visitor(there)
    for (const [name, value] of ada.cookies) elsewhere.cookies.set(name, value)
    const response = await elsewhere.visit('/look')
    expect(await response.json()).toMatchObject({ isNew: true, visits: 0 })
    expect(response.headers.get('Set-Cookie')).toBeNull()
    expect(await ada.text('/count', post)).toBe('2')
  })

  test('a restart loses them', async () => {
    const first = await start(code)
    const ada = new Visitor(first.isolates[0] ?? expect.fail())
    await ada.visit('/count', post)
    expect(await ada.text('/count', post)).toBe('2')
    const second = await start(code)
    const later = new Visitor(second.isolates[0] ?? expect.fail())
    for (const [name, value] of ada.cookies) later.cookies.set(name, value)
    expect(await later.text('/count', post)).toBe('1')
  })
})

test('fifty requests at once, over real sockets, are fifty visits', async () => {
  const { runtime } = await start(code)
  const origin = await runtime.ready
  const ada = new Visitor((url, init) => fetch(url, init), origin.origin)
  await ada.visit('/count', post)
  await Promise.all(Array.from({ length: 49 }, () => ada.text('/count', post)))
  expect(await ada.text('/count', post)).toBe('51')
})

describe('the built package', () => {
  test('is imported and used at the top level of a Worker without complaint', async () => {
    const outDir = await mkdtemp(join(tmpdir(), 'isolate-session-'))
    try {
      const built = spawnSync(
        process.execPath,
        ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', outDir],
        { encoding: 'utf8' },
      )
      expect(built.stdout + built.stderr).toBe('')
      const { isolates } = await start({ ...(await worker()), ...(await modulesIn(outDir)) })
      const response = await isolates[0]?.('https://shop.example/')
      expect(await response?.text()).toBe('Visit 1')
      expect(response?.headers.get('Set-Cookie')).toContain('__Host-session=')
    } finally {
      await rm(outDir, { recursive: true })
    }
  })

  async function worker(): Promise<Record<string, { type: 'esm'; contents: string }>> {
    const contents = `
      import { Hono } from './hono.js'
      import { MemoryStore, Session, session } from './package/index.js'
      const store = new MemoryStore({ warn: false })
      new Session().set('made', 'at the top level')
      const app = new Hono()
      app.use(session({ store }))
      app.get('/', (c) => {
        c.var.session.update('visits', (visits = 0) => visits + 1)
        return c.text('Visit ' + c.var.session.get('visits'))
      })
      export default app
    `
    return {
      'index.js': { type: 'esm', contents },
      'hono.js': { type: 'esm', contents: await bundle('node_modules/hono/dist/index.js') },
    }
  }

  async function modulesIn(
    directory: string,
  ): Promise<Record<string, { type: 'esm'; contents: string }>> {
    const files = (await readdir(directory, { recursive: true })).filter((file) =>
      file.endsWith('.js'),
    )
    const entries = files.map(async (file) => {
      const contents = await readFile(join(directory, file), 'utf8')
      return [`package/${file}`, { type: 'esm' as const, contents }] as const
    })
    return Object.fromEntries(await Promise.all(entries))
  }
})
