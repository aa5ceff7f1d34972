import { expect, test } from 'vitest'
import { bundle, CORE, FETCH, measureSizes } from '../../bench/size.ts'

const KILOBYTE = 1024

const sizes = await measureSizes()

test('the middleware, Session and MemoryStore are at most 21 KB, minified and gzipped', () => {
  expect(sizes.core).toBeLessThan(21 * KILOBYTE)
})

test('without Hono it is smaller, and has nothing of Hono in it', async () => {
  expect(sizes.fetch).toBeLessThan(sizes.core)
  expect(await bundle(FETCH)).not.toMatch(/from ?"hono|finalized|executionCtx/)
})

test.each(Object.entries(sizes.stores))('%s adds at most 4 KB', (_name, added) => {
  expect(added).toBeLessThan(4 * KILOBYTE)
})

// `secrets` and `schema` are options, of which a bundler cannot know whether they are used.
test('a store that is not imported is not in the bundle', async () => {
  const ofMemory = /memory-store/
  const ofCookies = /AES-GCM/
  const code = {
    memory: await bundle(CORE),
    cookie: await bundle(`export { session, CookieStore } from './src/index.ts'`),
    none: await bundle(`export { session } from './src/index.ts'`),
  }
  expect(code.memory).toMatch(ofMemory)
  expect(code.memory).not.toMatch(ofCookies)
  expect(code.cookie).toMatch(ofCookies)
  expect(code.cookie).not.toMatch(ofMemory)
  expect(code.none).not.toMatch(ofMemory)
  expect(code.none).not.toMatch(ofCookies)
})
