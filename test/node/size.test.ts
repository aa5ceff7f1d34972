import { expect, test } from 'vitest'
import { measureSizes } from '../../bench/size.ts'

const KILOBYTE = 1024

const sizes = await measureSizes()

test('the middleware, Session and MemoryStore are at most 21 KB, minified and gzipped', () => {
  expect(sizes.core).toBeLessThan(21 * KILOBYTE)
})

test('without Hono it is smaller, and has nothing of Hono in it', () => {
  expect(sizes.fetch).toBeLessThan(sizes.core)
  expect(sizes.fetchCode).not.toMatch(/from ?"hono|finalized|executionCtx/)
})

test.each(Object.entries(sizes.stores))('%s adds at most 4 KB', (_name, added) => {
  expect(added).toBeLessThan(4 * KILOBYTE)
})
