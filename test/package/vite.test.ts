import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { blocksOf } from '../node/guide.ts'
import { Visitor } from '../support/visitor.ts'
import { Project, pack } from './project.ts'

const directory = await mkdtemp(join(tmpdir(), 'isolate-session-vite-'))
const { tarball } = await pack(directory)
afterAll(() => rm(directory, { recursive: true }))

// As of the autumn of 2026, so that a run means the same tomorrow.
const VITE = ['vite@8.3.8', '@cloudflare/vite-plugin@1.64.0']

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0))
    })
  })
}

async function serve({ directory: cwd }: Project): Promise<string> {
  const port = await freePort()
  const vite: ChildProcess = spawn(
    process.execPath,
    ['node_modules/vite/bin/vite.js', '--port', String(port), '--strictPort'],
    {
      cwd,
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: 'false' },
    },
  )
  onTestFinished(() => {
    if (vite.pid !== undefined) process.kill(-vite.pid)
  })
  return `http://localhost:${port}`
}

test('under Vite a session in MemoryStore survives the save of a file', async () => {
  const project = await Project.with(tarball, 'hono', ...VITE)
  onTestFinished(() => project.remove())
  for (const { file, code } of await blocksOf('docs/recipes/vite.md')) {
    if (!file.startsWith('block-')) await project.write(file, code)
  }
  const config = { name: 'my-app', main: 'src/index.ts', compatibility_date: '2024-09-23' }
  await project.write('wrangler.jsonc', JSON.stringify(config))
  const origin = await serve(project)
  const ask = (url: string, init?: RequestInit): Promise<Response> => fetch(url, init)
  const isUp = (): Promise<boolean> =>
    ask(origin).then(
      ({ ok }) => ok,
      () => false,
    )
  await expect.poll(isUp, { timeout: 60_000, interval: 500 }).toBe(true)

  const ada = new Visitor(ask, origin)
  expect(await ada.text('/')).toBe('Visit 1')
  expect(await ada.text('/')).toBe('Visit 2')
  const file = join(project.directory, 'src/index.ts')
  await writeFile(file, (await readFile(file, 'utf8')).replace('`Visit', '`Saved, visit'))
  const stranger = (): Promise<string> => ask(origin).then((response) => response.text())
  await expect.poll(stranger, { timeout: 30_000 }).toBe('Saved, visit 1')
  expect(await ada.text('/')).toBe('Saved, visit 3')
})
