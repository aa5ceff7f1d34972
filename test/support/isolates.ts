import { build, type Plugin } from 'esbuild'
import { Miniflare, type MiniflareOptions } from 'miniflare'

/** The newest date that the pinned workerd takes. */
const COMPATIBILITY_DATE = '2026-10-23'

type Modules = Record<string, { type: 'esm'; contents: string }>

/** One module, bundled the way wrangler does it: workerd's conditions, ESM. */
export async function bundle(entryPoint: string, plugins: Plugin[] = []): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    alias: { 'isolate-session': './src/index.ts' },
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx',
    plugins,
  })
  return outputFiles[0]?.text ?? ''
}

/**
 * What stands before the isolates, as Cloudflare does: every request goes to the next one, or to the one that `X-Isolate`
 * names. With `X-Leave-After: ms` it goes away in the middle, which cancels the request behind as a client that leaves does.
 */
const DOOR = `
  let turn = 0
  export default {
    async fetch(request, env) {
      const isolates = Object.values(env)
      const isolate = isolates[request.headers.get('X-Isolate') ?? turn++ % isolates.length]
      const ms = request.headers.get('X-Leave-After')
      if (ms === null) return isolate.fetch(request)
      const departure = new AbortController()
      isolate.fetch(request, { signal: departure.signal }).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, Number(ms)))
      departure.abort()
      return new Response('left')
    },
  }
`

export interface IsolatesOptions {
  /** Where KV, D1 and Durable Objects are kept when the runtime ends. */
  readonly resourcePersistencePath?: string
  /** Binds KV, DB and SESSIONS, shared by all isolates; the code exports `SessionObject`. */
  readonly shareStorage?: boolean
  /** More bindings, as Miniflare describes them. */
  readonly env?: object
}

/** Several isolates of the same code in one runtime, as one machine of Cloudflare's may hold them. */
export async function startIsolates(
  code: string | Modules,
  count = 1,
  { shareStorage = false, env = {}, ...options }: IsolatesOptions = {},
): Promise<{ runtime: Miniflare; isolates: Isolate[]; door: Isolate }> {
  const modules: Modules =
    typeof code === 'string' ? { 'index.js': { type: 'esm', contents: code } } : code
  const names = Array.from({ length: count }, (_, i) => `isolate${i}`)
  const door: Modules = { 'index.js': { type: 'esm', contents: DOOR } }
  const behind = Object.fromEntries(names.map((name) => [name, { type: 'worker', worker: name }]))
  const runtime = new Miniflare({
    ...options,
    workers: [
      worker('door', door, behind),
      ...names.map((name) => worker(name, modules, { ...(shareStorage ? STORAGE : {}), ...env })),
      ...(shareStorage ? [worker('objects', modules, {}, OBJECTS)] : []),
    ],
  } as unknown as MiniflareOptions)
  await runtime.ready
  const ask = async (name: string): Promise<Isolate> => {
    const fetcher = await runtime.getWorker(name)
    return async (url, init) => (await fetcher.fetch(url, init as never)) as unknown as Response
  }
  return { runtime, isolates: await Promise.all(names.map(ask)), door: await ask('door') }
}

const STORAGE = {
  KV: { type: 'kv', id: 'kv' },
  DB: { type: 'd1', id: 'db' },
  SESSIONS: { type: 'durable-object', worker: 'objects', exportName: 'SessionObject' },
}

const OBJECTS = { SessionObject: { type: 'durable-object', storage: 'sqlite' } }

function worker(name: string, modules: Modules, env: object, exports?: object): object {
  const manifest = { mainModule: 'index.js', modules }
  const config = { name, compatibilityDate: COMPATIBILITY_DATE, manifest, env }
  return { config: exports ? { ...config, exports } : config }
}

export type Isolate = (url: string, init?: RequestInit) => Promise<Response>
