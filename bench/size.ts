import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const CORE = `export { session, MemoryStore, Session } from './src/index.ts';`
const FETCH = `export { MemoryStore } from './src/index.ts'; export { withSession } from './src/fetch.ts'`

const STORES: Record<string, string> = {
  CookieStore: `export { CookieStore } from './src/index.ts'`,
  D1Store: `export { D1Store } from './src/stores/d1.ts'`,
  KVStore: `export { KVStore } from './src/stores/kv.ts'`,
  DurableObjectStore: `export { DurableObjectStore, SessionObject } from './src/stores/durable-object.ts'`,
  PostgresStore: `export { PostgresStore } from './src/stores/postgres.ts'`,
  MySQLStore: `export { MySQLStore } from './src/stores/mysql.ts'`,
  RedisStore: `export { RedisStore } from './src/stores/redis.ts'`,
  MongoDBStore: `export { MongoDBStore } from './src/stores/mongodb.ts'`,
  CachingStore: `export { CachingStore } from './src/stores/caching.ts'`,
}

export interface Sizes {
  /** Bytes of the middleware, `Session` and `MemoryStore`, minified and gzipped. Hono is not among them. */
  readonly core: number
  /** The same through `isolate-session/fetch`. */
  readonly fetch: number
  /** The code of the latter. */
  readonly fetchCode: string
  /** What each further store adds. */
  readonly stores: Readonly<Record<string, number>>
}

export async function measureSizes(): Promise<Sizes> {
  const core = gzipped(await bundle(CORE))
  const fetchCode = await bundle(FETCH)
  const stores: Record<string, number> = {}
  for (const [name, source] of Object.entries(STORES)) {
    stores[name] = gzipped(await bundle(CORE + source)) - core
  }
  return { core, fetch: gzipped(fetchCode), fetchCode, stores }
}

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: '.', loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    external: ['cloudflare:*', 'hono'],
  })
  return outputFiles[0]?.text ?? ''
}

function gzipped(code: string): number {
  return gzipSync(code, { level: 9 }).length
}
