import { resolve } from 'node:path'
import type { Plugin } from 'esbuild'
import { bundle } from '../test/support/isolates.ts'
import { SUBJECTS, type Subject } from './compare.ts'
import { startCopies } from './runtime.ts'
import { type Estimate, estimate } from './statistics.ts'

/** Who is measured: one entry of each library. */
export const COLD: readonly Subject[] = [
  'bare',
  'memory',
  'remixMemory',
  'honoSessionMap',
  'honoSessionsMemory',
  'ironSession',
]

export type Cold = Partial<Record<Subject, Estimate>>

/** What npm publishes in place of the sources: the comments are gone, which a fresh isolate would have to read as well. */
const AS_PUBLISHED: Plugin = {
  name: 'as published',
  setup({ onResolve }) {
    onResolve({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      path: resolve(path.replace(/^.*\/src\//, 'dist/').replace(/ts$/, 'js')),
    }))
  },
}

/** Isolates of one run: what the runtime itself needs to start is taken off by a run with one. */
const ISOLATES = 30

/**
 * Processor milliseconds from a fresh isolate to its first answer, which begins a session: reading the module, running it,
 * and everything that a first request compiles. The visitor of a cold start waits for this.
 */
export async function measureCold(runs: number): Promise<Cold> {
  const bundles = await Promise.all(
    COLD.map(
      async (name) =>
        [name, await bundle(`bench/${SUBJECTS[name].entry}.ts`, [AS_PUBLISHED])] as const,
    ),
  )
  const times = new Map<Subject, number[]>(COLD.map((name) => [name, []]))
  for (let run = 0; run < runs; run++) {
    for (const [name, contents] of bundles) {
      const one = await startCopies(contents, 1, '/begin')
      const many = await startCopies(contents, ISOLATES + 1, '/begin')
      times.get(name)?.push((many - one) / ISOLATES)
    }
  }
  return Object.fromEntries([...times].map(([name, values]) => [name, estimate(values)]))
}
