import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from '../test/support/isolates.ts'

/** Bytes of JSON in a session. The bar is about the second. */
const SIZES = [50, 200, 1000, 8000]

const PROGRAM = `
  const store = new MemoryStore({ maxBytes: 2 ** 31 })
  const fill = async (n, size) => {
    for (let i = 0; i < n; i++) {
      const session = new Session()
      session.set('text', String(i).padStart(size - '{"text":""}'.length, 'x'))
      await store.storeSession(session)
    }
  }
  const heap = () => { gc(); gc(); return process.memoryUsage().heapUsed }
  const curve = []
  for (const size of [${SIZES}]) {
    const n = size > 1000 ? 5000 : 50000
    await fill(100, size)
    await store.clearStore()
    const before = heap()
    await fill(n, size)
    curve.push({ size, bytes: (heap() - before) / n, estimated: store.bytes / n })
    await store.clearStore()
  }
  console.log(JSON.stringify(curve))
`

export interface Memory {
  /** Bytes of heap for a session of 200 bytes of JSON. */
  readonly bytes: number
  readonly curve: readonly {
    readonly size: number
    readonly bytes: number
    /** The store's own estimate. */
    readonly estimated: number
  }[]
}

/** Heap for each session in Node, where a collection can be asked for: V8 is the same. */
export async function measureMemory(): Promise<Memory> {
  const directory = await mkdtemp(join(tmpdir(), 'isolate-session-'))
  try {
    await writeFile(join(directory, 'library.mjs'), await bundle('src/index.ts'))
    const imports = `import { MemoryStore, Session } from './library.mjs'\n`
    await writeFile(join(directory, 'program.mjs'), imports + PROGRAM)
    const flags = ['--expose-gc', join(directory, 'program.mjs')]
    const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
    if (stdout === '') throw new Error(stderr)
    const curve: Memory['curve'] = JSON.parse(stdout)
    return { bytes: curve.find(({ size }) => size === 200)?.bytes ?? Number.NaN, curve }
  } finally {
    await rm(directory, { recursive: true })
  }
}
