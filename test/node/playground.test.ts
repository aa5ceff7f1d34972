import { readFileSync } from 'node:fs'
import type { Miniflare } from 'miniflare'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WORKERS, workerFor } from '../../demo/workers.ts'
import { bundleText, startWorker } from './guide.ts'

const URL = 'https://shop.example/'
const SESSION_SECRET = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')

async function createTable(runtime: Miniflare): Promise<void> {
  const statements = readFileSync('src/stores/d1.sql', 'utf8').replace(/--.*$/gm, '').split(';')
  const db = await runtime.getD1Database('DB', 'app')
  for (const sql of statements) if (sql.trim()) await db.prepare(sql).run()
}

describe('the Workers that the playground offers to copy', () => {
  test.each(WORKERS)('%s: two visits are counted', async (name) => {
    const { runtime, ask } = await startWorker(await bundleText(workerFor(name)), {
      SESSION_SECRET,
    })
    onTestFinished(() => runtime.dispose())
    if (name === 'd1' || name === 'caching') await createTable(runtime)
    const first = await ask(URL)
    expect(await first.text()).toBe('Visit 1')
    const [cookie = ''] = first.headers.getSetCookie()
    expect(cookie).toMatch(/^__Host-session=/)
    const second = await ask(URL, { headers: { Cookie: cookie.split(';')[0] ?? '' } })
    expect(await second.text()).toBe('Visit 2')
  })
})

test('the strip has a line for every route that uses the session', () => {
  const api = readFileSync('demo/api.ts', 'utf8')
  const routes = [...api.matchAll(/app\.(get|post|delete)\('([^']+)'/g)].map(
    ([, method = '', path]) => `${method.toUpperCase()} ${path}`,
  )
  const strip = readFileSync('demo/public/strip.js', 'utf8')
  const lines = [...strip.matchAll(/^ {2}'((?:GET|POST|DELETE) [^']+)':/gm)].map(([, key]) => key)
  // A connection is no request of the page's own.
  expect(lines.sort()).toEqual(routes.filter((route) => route !== 'GET /connection').sort())
})
