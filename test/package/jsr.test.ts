import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

// The files that JSR would get, in a folder of their own: there Deno checks the types by its own rules, with no tsconfig.json.
test('JSR takes the sources, with their types', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jsr-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const files = ['jsr.json', 'src', 'docs', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE']
  for (const file of files) cpSync(file, join(folder, file), { recursive: true })
  const { status, stderr } = spawnSync(
    resolve('node_modules/.bin/deno'),
    ['publish', '--dry-run', '--allow-dirty'],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  )
  expect(stderr).toContain('Dry run complete')
  expect(stderr).toContain('src/stores/d1.ts')
  expect(stderr).not.toContain('durable-object')
  expect(status).toBe(0)
})
