import { DatabaseSync } from 'node:sqlite'
import { build, transform } from 'esbuild'
import { expect, test } from 'vitest'
import type { SessionStore } from '../../src/index.ts'
import * as sql from '../../src/stores/sql.ts'
import { storeContract } from '../../src/testing.ts'
import { afterThis, blocksOf, packageAliases, startWorker } from './guide.ts'

const PAGE = 'docs/recipes/another-database.md'

type StoreClass<Client> = new (
  client: Client,
  options?: sql.SqlStoreOptions,
) => SessionStore & { migrate(): Promise<void>; count(): Promise<number> }

async function codeOf(file: string): Promise<string> {
  const block = (await blocksOf(PAGE)).find((each) => each.file === file)
  return block?.code ?? expect.fail(`the page has no ${file}`)
}

/** The class of a block as it is on the page, over the source of this package. */
async function classOf<Client>(file: string, name: string): Promise<StoreClass<Client>> {
  const { code } = await transform(await codeOf(file), { loader: 'ts', format: 'cjs' })
  const module = { exports: {} as Record<string, StoreClass<Client>> }
  const require = (id: string): unknown =>
    id === 'isolate-session/sql' ? sql : expect.fail(`imports ${id}`)
  new Function('module', 'exports', 'require', code)(module, module.exports, require)
  return module.exports[name] ?? expect.fail(`exports no ${name}`)
}

const NodeSqliteStore = await classOf<DatabaseSync>('src/node-sqlite-store.ts', 'NodeSqliteStore')

storeContract(
  'the store on node:sqlite',
  async () => {
    const store = new NodeSqliteStore(new DatabaseSync(':memory:'))
    await store.migrate()
    await store.migrate()
    return store
  },
  { test },
)

/** Runs the whole contract inside of a Durable Object. */
const IN_OBJECT = `
import { DurableObject } from 'cloudflare:workers'
import { storeContract } from 'isolate-session/testing'

class SessionObject extends DurableObject {
  async fetch() {
    const tests = []
    const failures = []
    const makeStore = async () => {
      const store = new ObjectSqliteStore(this.ctx.storage.sql, { table: 'sessions_' + tests.length })
      await store.migrate()
      await store.clearStore()
      return store
    }
    storeContract('in an object', makeStore, { test: (title, run) => tests.push([title, run]) })
    for (const [title, run] of tests) {
      try {
        await run()
      } catch (error) {
        failures.push(title + ': ' + error)
      }
    }
    return Response.json({ ran: tests.length, failures })
  }
}
export { SessionObject }
export default { fetch: (request, env) => env.SESSIONS.getByName('one').fetch(request) }
`

test('the store on a Durable Object’s own SQLite keeps the contract in workerd', async () => {
  const contents = (await codeOf('src/object-sqlite-store.ts')) + IN_OBJECT
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: '.', loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    external: ['cloudflare:*'],
    alias: await packageAliases(),
  })
  const { runtime, ask } = await startWorker(outputFiles[0]?.text ?? '')
  afterThis(() => runtime.dispose())
  const { ran, failures } = (await (await ask('https://shop.example/')).json()) as {
    ran: number
    failures: string[]
  }
  expect(failures).toEqual([])
  expect(ran).toBeGreaterThan(40)
})

test('the store on libSQL is bundled for Workers', async () => {
  const { outputFiles } = await build({
    stdin: { contents: await codeOf('src/libsql-store.ts'), resolveDir: '.', loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    alias: await packageAliases(),
  })
  expect(outputFiles[0]?.text).toContain('LibsqlStore')
})
