import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle, type Isolate, startIsolates } from '../support/isolates.ts'
import { Visitor } from '../support/visitor.ts'

let directory = ''
let readme = ''
let runtime: Miniflare
let app: Isolate

beforeAll(async () => {
  readme = await readFile('README.md', 'utf8')
  const [, worker = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  // Beside the sources, so that hono is found; the package's own name is an alias in the bundler.
  directory = await mkdtemp(join('test', 'node', '.readme-'))
  await writeFile(join(directory, 'index.ts'), worker)
  const started = await startIsolates(await bundle(join(directory, 'index.ts')))
  runtime = started.runtime
  app = started.isolates[0] ?? expect.fail('no isolate')
})

afterAll(async () => {
  await runtime?.dispose()
  await rm(directory, { recursive: true, force: true })
})

test('the README’s first block is a running Worker', async () => {
  const ada = new Visitor(app, 'http://localhost:8787')
  expect(await ada.text('/')).toBe('Hello stranger, visit 1. ')
  expect(await ada.text('/')).toBe('Hello stranger, visit 2. ')
  expect((await ada.visit('/sign-in', { method: 'POST' })).status).toBe(303)
  expect(await ada.text('/')).toBe('Hello ada, visit 3. Welcome back!')
  expect(await ada.text('/')).toBe('Hello ada, visit 4. ')
  await ada.visit('/sign-out', { method: 'POST' })
  expect(ada.cookies.size).toBe(0)
  expect(await ada.text('/')).toBe('Hello stranger, visit 1. ')
})

test('the answers that the README promises are the ones that come', async () => {
  const ada = new Visitor(app, 'http://localhost:8787')
  const promised = [...readme.matchAll(/^curl .* {3}# (.+)$/gm)].map(([, answer]) => answer)
  expect(promised).toHaveLength(2)
  for (const answer of promised) expect((await ada.text('/')).trim()).toBe(answer)
})

test('the README’s block for tests finds the tea', async () => {
  const [, block = ''] = /```ts\n([^`]*sessionCookie.*?)```/s.exec(readme) ?? []
  const file = join(process.cwd(), directory, 'testing.ts')
  await writeFile(file, `${block}\nexport { response }\n`)
  const { response } = (await import(file)) as { response: Response }
  expect(await response.json()).toEqual(['tea'])
})
