import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { SessionStore } from '../../src/index.ts'
import { storeContract } from '../../src/testing.ts'

// The store of docs/writing-a-store.md, as somebody would type it in, held to the suite as they would hold it.
const guide = await readFile('docs/writing-a-store.md', 'utf8')
const [, source = ''] = /```ts\n(import \{ DatabaseSync.*?)```/s.exec(guide) ?? []
const directory = await mkdtemp(join('test', 'node', '.guide-'))
const file = join(process.cwd(), directory, 'sqlite-store.ts')
await writeFile(file, source)
const { SqliteStore } = (await import(file)) as { SqliteStore: new (path: string) => SessionStore }

afterAll(() => rm(directory, { recursive: true }))

storeContract('the guide’s SqliteStore', () => new SqliteStore(':memory:'), { test })

test('the guide’s store is about forty lines', () => {
  const lines = source.split('\n').filter((line) => line.trim() !== '')
  expect(lines.length).toBeLessThan(50)
})
