import { expect, test } from 'vitest'
import { Session } from '../src/index.ts'
import { FaultyMemory } from './support/faulty-memory.ts'
import { leaks, witness, witnessedValues } from './support/witness.ts'

test('the watch over the whole suite would notice a cookie value', async () => {
  const before = witnessedValues()
  const value = await new FaultyMemory().storeSession(new Session())
  expect(witnessedValues()).toBe(before + 1)
  expect(leaks()).toEqual([])
  witness(`a careless message with ${value} in it`)
  expect(leaks()).toHaveLength(1)
  witness({ careless: { object: [value] } })
  expect(leaks()).not.toEqual([])
  const error = new Error(`a careless error: ${value}`)
  expect(leaks()).toEqual([`Error: ${error.message}`])
})
