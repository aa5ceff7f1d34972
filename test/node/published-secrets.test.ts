import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkSecrets } from '../../src/crypto/secrets.ts'

/** Known answers have to be opened with the secrets that made them. */
const EXCEPT =
  /^(?:node_modules|dist|\.git|\.wrangler|\.vitest|\.dev\.vars|golden|package-lock\.json)$/

/** A literal that is given to something called a secret. */
const LITERAL = /(?:secrets?|password)\w*["'`]?\s*[:=]\s*\[?\s*(["'`])([^"'`\n]{32,})\1/gi

async function* filesIn(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (EXCEPT.test(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesIn(path)
    else if (/\.(?:[cm]?[jt]sx?|toml|jsonc?|md|ya?ml|html|vars\S*|env\S*)$/.test(path)) yield path
  }
}

const secretsIn = (text: string): string[] => [...text.matchAll(LITERAL)].map(([, , s = '']) => s)

test('C2 no secret that is in this repository is taken', async () => {
  const published: string[] = []
  let files = 0
  for await (const path of filesIn('.')) {
    files++
    for (const secret of secretsIn(await readFile(path, 'utf8'))) {
      try {
        checkSecrets(secret, path)
        published.push(path)
      } catch {}
    }
  }
  expect(published).toEqual([])
  expect(files).toBeGreaterThan(200)
})

test('C2 a secret is found where people put one', () => {
  const secret = 'x'.repeat(40)
  const places = [
    `SESSION_SECRET = "${secret}"`,
    `new CookieStore({ secrets: '${secret}' })`,
    `secrets: ['${secret}']`,
    `"SECRET": "${secret}"`,
  ]
  for (const place of places) expect(secretsIn(place)).toEqual([secret])
})
