// Every whole Worker of docs/servers.md, bundled by wrangler, on a real server.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { blocksOf, isComplete, packageAliases } from '../node/guide.ts'
import { startIsolates } from '../support/isolates.ts'
import { Visitor } from '../support/visitor.ts'
import { bundleByWrangler } from './support/bundle.ts'
import { CLIENTS } from './support/clients.ts'
import { openHttpBridge } from './support/http-bridge.ts'
import type { Kind } from './support/servers.ts'

const ORIGIN = 'https://shop.example'

const COUNT = `
app.get('/count', (c) => {
  c.var.session.update('n', (n) => Number(n ?? 0) + 1)
  return c.text(String(c.var.session.get('n')))
})`

const servers = inject('servers')
const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

const text = (value: string | undefined): object => ({ type: 'text', value })

/** The Worker on that page runs, keeps a count, and removes what has expired if it says how. */
function story(
  page: string,
  index: number,
  kind: Kind,
  bindings: (url: string) => object | Promise<object>,
): void {
  const url = servers[kind]
  test.skipIf(url === undefined)(`${page} ${index}: a session in ${kind}`, async () => {
    const app = (await blocksOf(page)).filter(isComplete)[index] ?? expect.fail('no such Worker')
    const directory = await mkdtemp(join('test', 'servers', '.guide-'))
    closing.push(() => rm(directory, { recursive: true }))
    await writeFile(join(directory, 'index.ts'), `${app.code}\n${COUNT}\n`)
    const aliases = Object.entries(await packageAliases()).map(
      ([name, file]) => `"${name}" = "${join('..', '..', '..', file)}"`,
    )
    const config = ['name = "guide"', 'main = "index.ts"', 'compatibility_date = "2026-10-23"']
    const toml = join(directory, 'wrangler.toml')
    await writeFile(toml, [...config, '[alias]', ...aliases].join('\n'))
    const env = await bindings(url ?? '')
    const { runtime, isolates } = await startIsolates(await bundleByWrangler(toml), 1, { env })
    closing.push(() => runtime.dispose())

    const { store, close } =
      (await Object.values(CLIENTS)
        .find((client) => client.kind === kind)
        ?.open(url ?? '')) ?? expect.fail()
    await store.migrate?.()
    await close()
    const ada = new Visitor(isolates[0] ?? expect.fail(), ORIGIN)
    for (const n of [1, 2, 3]) expect(await ada.text('/count')).toBe(String(n))
    if (!app.code.includes('scheduled')) return
    const worker = await runtime.getWorker('isolate0')
    expect(await worker.scheduled()).toMatchObject({ outcome: 'ok' })
    expect(await ada.text('/count')).toBe('4')
  })
}

const hyperdrive = (url: string): object => ({
  HYPERDRIVE: { type: 'hyperdrive', id: 'local', dev: { connectionString: url } },
})

describe('the guide', () => {
  story('docs/servers.md', 0, 'postgres', hyperdrive)
  story('docs/servers.md', 1, 'postgres', hyperdrive)
  story('docs/servers.md', 2, 'mysql', hyperdrive)
  story('docs/servers.md', 3, 'redis', (url) => ({ REDIS_URL: text(url) }))
  story('docs/servers.md', 4, 'redis', async (url) => {
    const bridge = await openHttpBridge(url)
    closing.push(bridge.close)
    return { REDIS_URL: text(bridge.url), REDIS_TOKEN: text('none') }
  })
  story('docs/servers.md', 5, 'mongodb', (url) => ({ MONGODB_URL: text(url) }))
})
