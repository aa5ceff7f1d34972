import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

// Every TypeScript block of the README and of docs, each a module of its own, as a reader would paste it.
const directory = await mkdtemp(join('test', 'node', '.docs-'))
afterAll(() => rm(directory, { recursive: true }))

const TSCONFIG = {
  extends: '../../../tsconfig.json',
  compilerOptions: {
    types: ['node', '@cloudflare/workers-types'],
    noUnusedLocals: false,
    paths: {
      'isolate-session': ['../../../src/index.ts'],
      'isolate-session/testing': ['../../../src/testing.ts'],
      'isolate-session/*': ['../../../src/stores/*.ts'],
    },
  },
  include: ['./*.ts'],
  exclude: [],
}

test('every code block compiles', async () => {
  const pages = (await readdir('docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`)
  let blocks = 0
  for (const page of ['README.md', ...pages]) {
    const text = await readFile(page, 'utf8')
    for (const [, code = ''] of text.matchAll(/```ts\n(.*?)```/gs)) {
      // The guide names the file that its second block imports.
      const name = code.includes('class SqliteStore') ? 'sqlite-store' : `block-${blocks}`
      await writeFile(join(directory, `${name}.ts`), `${code}\nexport {}\n`)
      blocks++
    }
  }
  expect(blocks).toBeGreaterThan(7)
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  const tsc = ['node_modules/typescript/bin/tsc', '-p', directory]
  const { stdout, stderr } = spawnSync(process.execPath, tsc, { encoding: 'utf8' })
  expect(stdout + stderr).toBe('')
})
