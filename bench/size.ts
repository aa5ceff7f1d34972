import { gzipSync } from 'node:zlib'
import { parse } from 'acorn'
import { type BuildOptions, build } from 'esbuild'

/** A module with the imports of most apps. */
export const CORE = `export { session, MemoryStore, Session } from './src/index.ts';`
export const FETCH = `export { MemoryStore } from './src/index.ts'; export { withSession } from './src/fetch.ts'`

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

const OPTIONS = {
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  target: 'es2024',
  external: ['cloudflare:*', 'hono'],
} as const satisfies BuildOptions

export interface Sizes {
  /** Bytes of the middleware, `Session` and `MemoryStore`, minified and gzipped. Hono is not among them. */
  readonly core: number
  /** The same through `isolate-session/fetch`. */
  readonly fetch: number
  /** Bytes of the core by folder, minified and not gzipped, which do not add up; messages are counted in their folders, too. */
  readonly parts: Readonly<Record<string, number>>
  /** The bytes that each further store adds. */
  readonly stores: Readonly<Record<string, number>>
}

export async function measureSizes(): Promise<Sizes> {
  const core = gzipped(await bundle(CORE))
  const fetch = gzipped(await bundle(FETCH))
  const stores: Record<string, number> = {}
  for (const [name, source] of Object.entries(STORES)) {
    stores[name] = gzipped(await bundle(CORE + source)) - core
  }
  return { core, fetch, parts: await measureParts(), stores }
}

/** Of the core's bundle, how much comes from where. */
async function measureParts(): Promise<Record<string, number>> {
  const { metafile, outputFiles } = await build({ ...OPTIONS, ...entry(CORE), metafile: true })
  const parts: Record<string, number> = {}
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const [, folder = 'entry points'] = /^src\/(\w+)\//.exec(file) ?? []
      parts[folder] = (parts[folder] ?? 0) + bytesInOutput
    }
  }
  return { ...parts, messages: sentencesIn(outputFiles[0]?.text ?? '') }
}

/** Bytes of all strings that are sentences: they have spaces, which other strings have not. */
function sentencesIn(code: string): number {
  let bytes = 0
  const visit = (node: object): void => {
    const { value } = node as { value?: unknown }
    const text = typeof value === 'object' ? (value as { raw?: string } | null)?.raw : value
    if (typeof text === 'string' && text.split(' ').length > 4) bytes += text.length
    for (const child of Object.values(node).flat()) {
      if (typeof child === 'object' && child !== null && 'type' in child) visit(child)
    }
  }
  visit(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }))
  return bytes
}

const entry = (contents: string) => ({
  stdin: { contents, resolveDir: '.', loader: 'ts' as const },
})

/** The bundle of a module at the top of this repository. */
export async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({ ...OPTIONS, ...entry(contents) })
  return outputFiles[0]?.text ?? ''
}

function gzipped(code: string): number {
  return gzipSync(code, { level: 9 }).length
}
