/**
 * Walks one request through the library: every call of one of its functions, in order, with the file it is in.
 *
 *   npm run walk            how many calls, files and changes of file a read and a write take
 *   npm run walk -- write   every call of the write, one line each
 *
 * It says how far a reader has to jump to follow a request. It runs in Node, so it says nothing about time.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type AnyNode, parse } from 'acorn'
import { build, type Plugin, transform } from 'esbuild'

/** One call of a function. */
export interface Call {
  readonly file: string
  readonly name: string
}

/** The calls of a request that reads one key, and of one that writes one. Both carry the cookie of a stored session. */
export interface Walks {
  readonly read: readonly Call[]
  readonly write: readonly Call[]
}

export const filesOf = (calls: readonly Call[]): Set<string> =>
  new Set(calls.map(({ file }) => file))

/** How often the reader has to open another file. */
export const changesOfFile = (calls: readonly Call[]): number =>
  calls.filter(({ file }, i) => i > 0 && file !== calls[i - 1]?.file).length

const APP = `
  import { Hono } from 'hono'
  import { MemoryStore, session } from './src/index.ts'
  const app = new Hono()
  app.use(session({ store: new MemoryStore({ warn: false }) }))
  app.get('/write', (c) => {
    c.var.session.update('visits', (visits = 0) => visits + 1)
    return c.text('written')
  })
  app.get('/read', (c) => c.text(String(c.var.session.get('visits'))))
  export default app
`

export async function walk(): Promise<Walks> {
  const folder = mkdtempSync(resolve('node_modules', '.walk-'))
  try {
    const file = join(folder, 'app.mjs')
    writeFileSync(file, await instrumented(APP))
    const { default: app } = await import(pathToFileURL(file).href)
    const calls: Call[] = []
    Object.assign(globalThis, { WALK: (file: string, name: string) => calls.push({ file, name }) })
    const request = async (path: string, cookie = ''): Promise<Response> => {
      calls.length = 0
      return app.request(`https://example.com${path}`, { headers: { Cookie: cookie } })
    }
    const [cookie = ''] = (await request('/write')).headers.getSetCookie()
    const [pair = ''] = cookie.split(';')
    await request('/read', pair)
    const read = [...calls]
    await request('/write', pair)
    return { read, write: [...calls] }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The app as one module that says at the start of each of the library's functions that it was called. */
async function instrumented(app: string): Promise<string> {
  const source: Plugin = {
    name: 'walk',
    setup({ onLoad }) {
      onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        const { code } = await transform(await readFile(path, 'utf8'), { loader: 'ts' })
        return { contents: announceCalls(code, relative('src', path)), loader: 'js' }
      })
    },
  }
  const { outputFiles } = await build({
    stdin: { contents: app, resolveDir: '.', loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    external: ['hono'],
    plugins: [source],
  })
  return outputFiles[0]?.text ?? ''
}

type FunctionNode = Extract<AnyNode, { body: AnyNode; params: unknown }>

function announceCalls(code: string, file: string): string {
  const insertions: [at: number, text: string][] = []
  visit(
    parse(code, { ecmaVersion: 'latest', sourceType: 'module' }),
    'a function',
    (node, name) => {
      const call = `globalThis.WALK?.(${JSON.stringify(file)}, ${JSON.stringify(name)})`
      const { start, end, type } = node.body
      if (type === 'BlockStatement') insertions.push([start + 1, `${call};`])
      else insertions.push([start, `(${call}, (`], [end, '))'])
    },
  )
  let result = code
  // From the end, so that what is still to come stays where it is. Of two at one place the outer one is first in the list.
  for (const [at, text] of insertions.reverse().sort(([a], [b]) => b - a)) {
    result = result.slice(0, at) + text + result.slice(at)
  }
  return result
}

/** Calls `found` with every function below `node`, and with what it is called by. */
function visit(node: AnyNode, name: string, found: (node: FunctionNode, name: string) => void) {
  if ('params' in node && 'body' in node) {
    found(node as FunctionNode, 'id' in node && node.id ? node.id.name : name)
  }
  const key = 'key' in node ? node.key : 'id' in node ? node.id : undefined
  const below = key && 'name' in key && typeof key.name === 'string' ? key.name : name
  for (const child of Object.values(node).flat()) {
    if (typeof child?.type === 'string') visit(child, below, found)
  }
}

if (import.meta.main) {
  const walks = await walk()
  const asked = process.argv[2]
  if (asked === 'read' || asked === 'write') {
    for (const { file, name } of walks[asked]) console.log(`${file.padEnd(32)} ${name}`)
  } else {
    for (const [name, calls] of Object.entries(walks)) {
      console.log(
        `${name.padEnd(6)} ${calls.length} calls, ${filesOf(calls).size} files, ${changesOfFile(calls)} changes of file`,
      )
    }
  }
}
