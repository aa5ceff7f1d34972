import { expect, test } from 'vitest'
import { changesOfFile, filesOf, walk } from '../../bench/walk.ts'

// How far a reader has to follow one request through the source. A change that needs more of it should be worth it.
test('a read and a write are followed in so many calls and changes of file', async () => {
  const { read, write } = await walk()
  expect(read.map(({ name }) => name)).toContain('loadSession')
  expect(write.map(({ name }) => name)).toContain('storeSession')
  expect(read.length).toBeLessThanOrEqual(73)
  expect(changesOfFile(read)).toBeLessThanOrEqual(42)
  expect(filesOf(read).size).toBeLessThanOrEqual(18)
  expect(write.length).toBeLessThanOrEqual(138)
  expect(changesOfFile(write)).toBeLessThanOrEqual(81)
  expect(filesOf(write).size).toBeLessThanOrEqual(22)
})
