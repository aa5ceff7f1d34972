import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type BoundedMap,
  isIntact,
  newBoundedMap,
  nextToEvict,
  put,
  remove,
  use,
} from '../src/storage/bounded-map.ts'

const RANKS = ['low', 'high'] as const
type Rank = (typeof RANKS)[number]
type Operation = ['put' | 'use' | 'remove', key: string, rank: Rank, size: number]

/** The same, simple and slow: a list, the least recently used first. */
type Model = { key: string; rank: Rank; size: number }[]

function apply(map: BoundedMap<number, Rank>, model: Model, operation: Operation): Model {
  const [kind, key, rank, size] = operation
  const known = model.find((entry) => entry.key === key)
  const others = model.filter((entry) => entry !== known)
  if (kind === 'remove') remove(map, key)
  if (kind === 'remove') return others
  if (kind === 'put') put(map, key, size, size, rank)
  if (kind === 'put') return [...others, { key, rank, size }]
  const entry = map.entries.get(key)
  if (entry) use(map, key, entry)
  return known ? [...others, known] : model
}

function evictionOrder(map: BoundedMap<number, Rank>): string[] {
  const keys: string[] = []
  for (let key = nextToEvict(map); key !== undefined; key = nextToEvict(map)) {
    keys.push(key)
    remove(map, key)
  }
  return keys
}

const operation: fc.Arbitrary<Operation> = fc.tuple(
  fc.constantFrom('put' as const, 'use' as const, 'remove' as const),
  fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  fc.constantFrom(...RANKS),
  fc.integer({ min: 1, max: 9 }),
)

test('whatever is put, used and removed, the least recently used of the lowest rank goes first', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40, size: 'max' }), (operations) => {
      const map = newBoundedMap<number, Rank>(RANKS)
      let model: Model = []
      for (const each of operations) model = apply(map, model, each)
      expect(map.bytes).toBe(model.reduce((sum, { size }) => sum + size, 0))
      expect(isIntact(map, RANKS)).toBe(true)
      const expected = RANKS.flatMap((rank) => model.filter((entry) => entry.rank === rank))
      expect(evictionOrder(map)).toEqual(expected.map(({ key }) => key))
      expect([map.bytes, map.entries.size]).toEqual([0, 0])
    }),
    { numRuns: 500 },
  )
})
