import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from '../test/support/isolates.ts'

const SESSIONS = 50_000

/** What `held` holds is measured, less an empty store's, after a collection. 200 bytes of JSON each. */
const PROGRAM = `
  const held = new MemoryStore({ maxBytes: 2 ** 30 })
  const store = async (n) => {
    for (let i = 0; i < n; i++) {
      const session = new Session()
      session.set('text', String(i).padStart(189, 'x'))
      await held.storeSession(session)
    }
  }
  const heap = () => { gc(); gc(); return process.memoryUsage().heapUsed }
  await store(100)
  await held.clearStore()
  const before = heap()
  await store(${SESSIONS})
  const bytes = (heap() - before) / ${SESSIONS}
  console.log(JSON.stringify({ bytes, estimated: held.bytes / ${SESSIONS} }))
`

export interface Memory {
  /** Bytes of heap for a session of 200 bytes of JSON. */
  readonly bytes: number
  /** What the store itself takes it to be. */
  readonly estimated: number
}

/** Heap for each session in Node, where a collection can be asked for: V8 is the same. */
export async function measureMemory(): Promise<Memory> {
  const directory = await mkdtemp(join(tmpdir(), 'isolate-session-'))
  try {
    const library = await bundle('src/index.ts')
    await writeFile(join(directory, 'library.mjs'), library)
    const imports = `import { MemoryStore, Session } from './library.mjs'\n`
    await writeFile(join(directory, 'program.mjs'), imports + PROGRAM)
    const flags = ['--expose-gc', join(directory, 'program.mjs')]
    const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout) as Memory
  } finally {
    await rm(directory, { recursive: true })
  }
}
