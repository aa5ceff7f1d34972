import { expect, test } from 'vitest'
import { measureSizes } from '../../bench/size.js'

const KILOBYTE = 1024

const sizes = await measureSizes()

test('the middleware, Session and MemoryStore are at most 19 KB, minified and gzipped', () => {
  expect(sizes.core).toBeLessThan(19 * KILOBYTE)
})

test.each(Object.entries(sizes.stores))(
  '%s adds at most 1.7 KB, RedisStore 1.75',
  (name, added) => {
    // Two scripts in Lua, and clients of three kinds.
    const most = name === 'RedisStore' ? 1.75 : 1.7
    expect(added).toBeLessThan(most * KILOBYTE)
  },
)
