import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bundle } from '../test/support/isolates.ts'
import { estimate } from './statistics.ts'

/** The Workers behind the sockets, one socket each. */
const WORKERS = { bare: 'subjects/bare', memory: 'subjects/ours-memory' } as const

const CASES = [
  { title: 'bare Hono', worker: 'bare', path: '/', withCookie: false },
  { title: 'session, untouched', worker: 'memory', path: '/', withCookie: false },
  { title: 'session, read', worker: 'memory', path: '/read', withCookie: true },
  { title: 'session, first write', worker: 'memory', path: '/begin', withCookie: false },
] as const

const FIRST_PORT = 9150
const CONNECTIONS = 16

export interface LoadResult {
  readonly title: string
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p99: number
}

/** Requests over HTTP to a workerd of its own, on this machine only: rounds of `seconds`, every case in turn. */
export async function measureLoad(rounds: number, seconds: number): Promise<LoadResult[]> {
  const directory = await mkdtemp(join(tmpdir(), 'isolate-session-load-'))
  const names = Object.keys(WORKERS) as (keyof typeof WORKERS)[]
  for (const name of names) {
    await writeFile(join(directory, `${name}.js`), await bundle(`bench/${WORKERS[name]}.ts`))
  }
  await writeFile(join(directory, 'config.capnp'), configOf(names))
  const server = spawn('node_modules/.bin/workerd', ['serve', join(directory, 'config.capnp')])
  try {
    const url = (name: (typeof names)[number]): string =>
      `http://127.0.0.1:${FIRST_PORT + names.indexOf(name)}`
    await Promise.all(names.map((name) => answering(url(name))))
    const first = await fetch(`${url('memory')}/begin`)
    const cookie = first.headers.get('Set-Cookie')?.split(';')[0] ?? ''
    const runs = CASES.map(() => [] as Omit<LoadResult, 'title'>[])
    for (let round = 0; round <= rounds; round++) {
      for (const [i, { worker, path, withCookie }] of CASES.entries()) {
        const result = await wrk(url(worker) + path, seconds, withCookie ? cookie : undefined)
        if (round > 0) runs[i]?.push(result) // the first one is for the compiler
      }
    }
    return CASES.map(({ title }, i) => {
      const of = (key: 'requestsPerSecond' | 'p99'): number =>
        estimate((runs[i] ?? []).map((run) => run[key])).median
      return { title, requestsPerSecond: of('requestsPerSecond'), p99: of('p99') }
    })
  } finally {
    server.kill()
    await once(server, 'exit')
    await rm(directory, { recursive: true })
  }
}

function configOf(names: readonly string[]): string {
  const services = names.map((name) => `(name = "${name}", worker = .${name})`)
  const sockets = names.map(
    (name, i) =>
      `(name = "${name}", address = "127.0.0.1:${FIRST_PORT + i}", http = (), service = "${name}")`,
  )
  const workers = names.map(
    (name) =>
      `const ${name} :Workerd.Worker = (modules = [(name = "index.js", esModule = embed "${name}.js")], compatibilityDate = "2026-10-23");`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [${services.join(', ')}], sockets = [${sockets.join(', ')}]);
${workers.join('\n')}
`
}

async function answering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`nothing answers at ${url}`)
}

async function wrk(
  url: string,
  seconds: number,
  cookie: string | undefined,
): Promise<Omit<LoadResult, 'title'>> {
  const options = ['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, '--latency']
  const headers = cookie === undefined ? [] : ['-H', `Cookie: ${cookie}`]
  const { stdout } = await promisify(execFile)('wrk', [...options, ...headers, url])
  if (stdout.includes('Non-2xx')) throw new Error(stdout)
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? []
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? []
  const inMilliseconds = { us: 0.001, ms: 1, s: 1000 }[unit ?? 'ms'] ?? 1
  return { requestsPerSecond: Number(rate), p99: Number(p99) * inMilliseconds }
}
