import { readdirSync, readFileSync } from 'node:fs'
import { Miniflare, type MiniflareOptions } from 'miniflare'
import { bundle } from '../test/support/isolates.ts'

/** Puts a question to a Worker and gives the processor time it took, in microseconds. */
export type Ask = (question: object) => Promise<number>

export interface Workers<Name extends string> {
  readonly ask: Record<Name, Ask>
  stop(): Promise<void>
}

/** One runtime with an isolate for every entry point, so that no library runs on another's warm code. */
export async function startWorkers<Name extends string>(
  entryPoints: Record<Name, string>,
): Promise<Workers<Name>> {
  const names = Object.keys(entryPoints) as Name[]
  const modules = await Promise.all(names.map((name) => bundle(entryPoints[name])))
  const { runtime, pid } = await start(modules)
  const asks = names.map(async (name, i): Promise<[Name, Ask]> => {
    const worker = await runtime.getWorker(`worker${i}`)
    const ask: Ask = async (question) => {
      const start = processorTime(pid)
      const body = JSON.stringify(question)
      const response = await worker.fetch('http://bench/', { method: 'POST', body })
      if (!response.ok) throw new Error(`${name}: ${await response.text()}`)
      await response.text()
      return processorTime(pid) - start
    }
    return [name, ask]
  })
  const ask = Object.fromEntries(await Promise.all(asks)) as Record<Name, Ask>
  return { ask, stop: () => runtime.dispose() }
}

/** One runtime with `worker0`, `worker1` and so on, an isolate for each module, and its process. */
async function start(
  modules: readonly string[],
): Promise<{ runtime: Miniflare; pid: string | undefined }> {
  const workers = modules.map((contents, i) => {
    const manifest = { mainModule: 'index.js', modules: { 'index.js': { type: 'esm', contents } } }
    return { config: { name: `worker${i}`, compatibilityDate: '2026-10-23', manifest, env: {} } }
  })
  const before = new Set(childProcesses())
  const runtime = new Miniflare({ workers } as unknown as MiniflareOptions)
  await runtime.ready
  const [pid] = childProcesses().filter((child) => !before.has(child))
  return { runtime, pid }
}

/** Starts so many isolates of one Worker, has each answer one request, and gives the processor time of it all in milliseconds. */
export async function startCopies(contents: string, copies: number, path: string): Promise<number> {
  const { runtime, pid } = await start(Array(copies).fill(contents))
  for (let i = 0; i < copies; i++) {
    const worker = await runtime.getWorker(`worker${i}`)
    const response = await worker.fetch(`https://bench${path}`)
    if (!response.ok) throw new Error(await response.text())
    await response.text()
  }
  const time = allThreads(pid)
  await runtime.dispose()
  return time
}

/** Milliseconds of all threads: V8 compiles in others than the one that answers. */
function allThreads(pid: string | undefined): number {
  if (pid === undefined) return performance.now()
  const times = readdirSync(`/proc/${pid}/task`).map((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' '),
  )
  return times.reduce((sum, [onProcessor]) => sum + Number(onProcessor), 0) / 1e6
}

/**
 * Microseconds for which the runtime's thread was on a processor, as Linux counts them: what else the machine is doing does
 * not count, and workerd's own clock shows whole milliseconds only. Elsewhere it is the time of day, and the machine had
 * better be idle.
 */
function processorTime(pid: string | undefined): number {
  if (pid === undefined) return performance.now() * 1000
  const [onProcessor] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')
  return Number(onProcessor) / 1000
}

function childProcesses(): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false
    try {
      const [, status = ''] = readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')
      return status.split(' ')[1] === String(process.pid)
    } catch {
      return false // it has ended
    }
  })
}
