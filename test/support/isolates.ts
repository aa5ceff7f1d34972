import { build } from 'esbuild'
import { Miniflare, type MiniflareOptions } from 'miniflare'

/** The newest date that the pinned workerd takes. */
const COMPATIBILITY_DATE = '2026-10-23'

type Modules = Record<string, { type: 'esm'; contents: string }>

/** One module, bundled the way wrangler does it: workerd's conditions, ESM. */
export async function bundle(entryPoint: string): Promise<string> {
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
  })
  return outputFiles[0]?.text ?? ''
}

/**
 * What stands before the isolates, as Cloudflare does: passes a request to isolate 0 and, with `X-Leave-After: ms`, goes
 * away in the middle, which cancels the request behind as a client that leaves does in production.
 */
const DOOR = `
  export default {
    async fetch(request, env) {
      const ms = request.headers.get('X-Leave-After')
      if (ms === null) return env.isolate0.fetch(request)
      const departure = new AbortController()
      env.isolate0.fetch(request, { signal: departure.signal }).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, Number(ms)))
      departure.abort()
      return new Response('left')
    },
  }
`

/** Several isolates of the same code in one runtime, as one machine of Cloudflare's may hold them. */
export async function startIsolates(
  code: string | Modules,
  count = 1,
  options: { resourcePersistencePath?: string } = {},
): Promise<{ runtime: Miniflare; isolates: Isolate[] }> {
  const modules: Modules =
    typeof code === 'string' ? { 'index.js': { type: 'esm', contents: code } } : code
  const names = Array.from({ length: count }, (_, i) => `isolate${i}`)
  const door: Modules = { 'index.js': { type: 'esm', contents: DOOR } }
  const runtime = new Miniflare({
    ...options,
    workers: [
      worker('door', door, { isolate0: { type: 'worker', worker: 'isolate0' } }),
      ...names.map((name) => worker(name, modules, {})),
    ],
  } as unknown as MiniflareOptions)
  await runtime.ready
  const isolates = await Promise.all(
    names.map(async (name): Promise<Isolate> => {
      const worker = await runtime.getWorker(name)
      return async (url, init) => (await worker.fetch(url, init as never)) as unknown as Response
    }),
  )
  return { runtime, isolates }
}

function worker(name: string, modules: Modules, env: object): object {
  const manifest = { mainModule: 'index.js', modules }
  return { config: { name, compatibilityDate: COMPATIBILITY_DATE, manifest, env } }
}

export type Isolate = (url: string, init?: RequestInit) => Promise<Response>
