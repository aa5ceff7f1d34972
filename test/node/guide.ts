import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { Miniflare, type MiniflareOptions } from 'miniflare'
import { afterEach, test } from 'vitest'
import type { Ask } from '../support/visitor.ts'

/** One fenced block of a page. */
export interface Block {
  readonly page: string
  readonly language: string
  readonly code: string
  /** The file that its first line names (`// src/index.ts`), or one made up. */
  readonly file: string
}

/** README and everything in docs, folders included. */
export async function pages(): Promise<string[]> {
  const docs = await readdir('docs', { recursive: true })
  const found = docs.filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`)
  return ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'llms.txt', ...found.sort()]
}

export async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(page, 'utf8')
  return [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language = '', code = ''], i) => {
    const [, named] = /^(?:\/\/|#) (\S+\.\w+)\n/.exec(code) ?? []
    return { page, language, code, file: named ?? `block-${i}.${language}` }
  })
}

/** A block that is a whole Worker. */
export function isComplete({ language, code }: Block): boolean {
  return /^tsx?$/.test(language) && /^export default (app$|\{)/m.test(code)
}

/** The package's entries by name, each the source that is behind it. */
export async function packageAliases(): Promise<Record<string, string>> {
  const { exports } = JSON.parse(await readFile('package.json', 'utf8'))
  const entries = Object.entries<{ default?: string }>(exports)
  return Object.fromEntries(
    entries.flatMap(([path, { default: file }]) =>
      file ? [[`isolate-session${path.slice(1)}`, sourceOf(file)]] : [],
    ),
  )
}

const sourceOf = (file: string): string => file.replace('./dist/', './src/').replace(/\.js$/, '.ts')

const ENTRY = 'the-page.tsx'

/** A module's text, bundled the way wrangler does it, with the other files of its page. `hono` is found from here. */
export async function bundleText(contents: string, others: readonly Block[] = []): Promise<string> {
  const beside: Plugin = {
    name: 'the other files of the page',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\// }, ({ path, importer, namespace }) =>
        namespace === 'page' || importer.endsWith(ENTRY) ? { path, namespace: 'page' } : undefined,
      )
      onLoad({ filter: /./, namespace: 'page' }, ({ path }) => {
        const source = path.replace('./', '').replace(/\.js$/, '.ts')
        const block = others.find(({ file }) => basename(file) === source)
        return block && { contents: block.code, loader: 'tsx', resolveDir: 'test/node' }
      })
    },
  }
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: 'test/node', loader: 'tsx', sourcefile: ENTRY },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    alias: await packageAliases(),
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx',
    plugins: [beside],
  })
  return outputFiles[0]?.text ?? ''
}

export interface RunningWorker {
  readonly runtime: Miniflare
  readonly ask: Ask
  readonly variables: Record<string, string>
}

/** Starts a bundled Worker with a KV, a D1 and a Durable Object of its own, and these text variables. */
export async function startWorker(
  code: string,
  variables: Record<string, string> = {},
): Promise<RunningWorker> {
  const hasObject = /export \{[^}]*\bSessionObject\b[^}]*\}/.test(code)
  const texts = Object.entries(variables).map(([name, value]) => [name, { type: 'text', value }])
  const object = { type: 'durable-object', worker: 'app', exportName: 'SessionObject' }
  const config = {
    name: 'app',
    compatibilityDate: '2026-10-23',
    manifest: { mainModule: 'index.js', modules: { 'index.js': { type: 'esm', contents: code } } },
    env: {
      KV: { type: 'kv', id: 'kv' },
      DB: { type: 'd1', id: 'db' },
      LIMITER: { type: 'rate-limit', namespace: '1001', simple: { limit: 20, period: 60 } },
      ...(hasObject ? { SESSIONS: object } : {}),
      ...Object.fromEntries(texts),
    },
    ...(hasObject && { exports: { SessionObject: { type: 'durable-object', storage: 'sqlite' } } }),
  }
  const runtime = new Miniflare({ workers: [{ config }] } as unknown as MiniflareOptions)
  await runtime.ready
  const ask: Ask = async (url, init) =>
    (await runtime.dispatchFetch(url, init as never)) as unknown as Response
  return { runtime, ask, variables }
}

/** The whole Worker on that page, running; `more` is put below it, for what the page leaves to the reader. */
export async function runGuide(
  page: string,
  {
    index = 0,
    variables = {},
    more = '',
  }: { index?: number; variables?: Record<string, string>; more?: string } = {},
): Promise<RunningWorker> {
  const blocks = await blocksOf(page)
  const app = blocks.filter(isComplete)[index]
  if (!app) throw new Error(`${page} has no complete app ${index}`)
  return startWorker(await bundleText(`${app.code}\n${more}`, blocks), variables)
}

export const ORIGIN = 'https://shop.example'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** Runs when the test that is running has ended. */
export function afterThis(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup)
}

export interface StoryOptions {
  readonly variables?: Record<string, string> | (() => Promise<Record<string, string>>)
  readonly more?: string
}

/** One test of what a page promises of a whole Worker on it. */
export function story(
  page: string,
  index: number,
  title: string,
  tell: (worker: RunningWorker) => Promise<void>,
  { variables = {}, more = '' }: StoryOptions = {},
): void {
  test(title, async () => {
    const given = typeof variables === 'function' ? await variables() : variables
    const worker = await runGuide(page, { index, variables: given, more })
    afterThis(() => worker.runtime.dispose())
    await tell(worker)
  })
}

/** A form, posted from a page of that origin. */
export const form = (fields: Record<string, string>, origin: string = ORIGIN): RequestInit => ({
  method: 'POST',
  headers: { Origin: origin },
  body: new URLSearchParams(fields),
})

export const setCookie = (response: Response): string => response.headers.get('Set-Cookie') ?? ''
