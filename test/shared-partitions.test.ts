import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { MemoryStore, Session } from '../src/index.ts'

const KEY = Symbol.for('isolate-session.memory-store')
const shared = globalThis as unknown as { [KEY]: unknown }

let names = 0
const newName = (): string => `left-${names++}`

function leave(name: string, left: unknown): void {
  if (!(shared[KEY] instanceof Map)) shared[KEY] = new Map()
  ;(shared[KEY] as Map<string, unknown>).set(name, left)
}

const partitionNamed = (name: string): Record<string, unknown> =>
  (shared[KEY] as Map<string, Record<string, unknown>>).get(name) ?? expect.fail('no partition')

async function issue(store: MemoryStore, owner?: string): Promise<string> {
  const session = new Session()
  if (owner === undefined) session.set('n', 1)
  else session.signIn(owner)
  return (await store.storeSession(session)) ?? expect.fail('no value')
}

/** Uses every method, and sees that the newest session is there and the bounds hold. */
async function use(name: string): Promise<void> {
  const store = new MemoryStore({ name, maxSessions: 5, maxBytes: 10_000 })
  for (let i = 0; i < 7; i++) await issue(store, i % 2 ? 'ada' : undefined)
  const value = await issue(store, 'ada')
  const session = (await store.loadSession(value)) ?? expect.fail('the newest session has gone')
  session.set('n', 2)
  await store.storeSession(session)
  expect(store.bytes).toBeGreaterThan(0)
  expect(store.bytes).toBeLessThanOrEqual(10_000)
  expect(await store.count()).toBeLessThanOrEqual(5)
  expect((await store.sessionsOf('ada')).map(({ id }) => id)).toContain(session.id)
  await store.cleanup()
  await store.destroySessionsOf('ada')
  await store.clearStore()
  expect([store.bytes, await store.count()]).toEqual([0, 0])
}

/** As the first edition left it. */
function firstEdition(records: unknown, more: object = {}): Record<string, unknown> {
  const left = { records, owners: new Map(), bytes: 0, maxSessions: 100_000, maxBytes: 33_554_432 }
  return { ...left, sweep: undefined, sweepLeft: 0, oldest: undefined, ...more }
}

/** The records that a store really made, by id. */
async function someRecords(
  owner?: string,
): Promise<[value: string, records: Map<string, unknown>]> {
  const name = newName()
  const store = new MemoryStore({ name })
  const value = await issue(store, owner)
  const entries = partitionNamed(name).entries as Map<string, { value: unknown }>
  return [value, new Map([...entries].map(([id, entry]) => [id, entry.value]))]
}

const JUNK: [what: string, make: () => unknown][] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['a number', () => 42],
  ['NaN', () => Number.NaN],
  ['a negative number', () => -1e12],
  ['a huge number', () => 1e12],
  ['a string', () => 'records'],
  ['a function', () => () => {}],
  ['an empty object', () => ({})],
  ['an object without a prototype', () => Object.create(null)],
  ['an array', () => [1, 2, 3]],
  ['an empty Map', () => new Map()],
  [
    'a Map of junk',
    () =>
      new Map<unknown, unknown>([
        ['a', null],
        ['b', 5],
        [7, {}],
        ['c', { value: {} }],
      ]),
  ],
  ['a Set', () => new Set(['a'])],
  ['a frozen object', () => Object.freeze({ entries: new Map(), bytes: 0 })],
  ['another Map’s iterator', () => new Map([['a', {}]]).entries()],
]

describe('Y3 what another version has left', () => {
  const before = shared[KEY]
  afterEach(() => {
    if (before instanceof Map) shared[KEY] = before
  })

  test.each(JUNK)('under the symbol does no harm: %s', async (_what, make) => {
    shared[KEY] = make()
    await use(newName())
  })

  test.each(JUNK)('under a name does no harm: %s', async (_what, make) => {
    const name = newName()
    leave(name, make())
    await use(name)
  })

  test.each(JUNK)('in a field of the first edition does no harm: %s', async (_what, make) => {
    for (const field of Object.keys(firstEdition(null))) {
      const name = newName()
      const [, records] = await someRecords('eve')
      leave(name, firstEdition(records, { [field]: make() }))
      await use(name)
    }
  })

  test.each(JUNK)('in a field of this edition does no harm: %s', async (_what, make) => {
    const template = newName()
    await issue(new MemoryStore({ name: template }), 'ada')
    for (const field of Object.keys(partitionNamed(template))) {
      const name = newName()
      await issue(new MemoryStore({ name }), 'eve')
      partitionNamed(name)[field] = make()
      await use(name)
    }
  })

  test('does no harm, whatever it is', async () => {
    const entry = fc.anything({ withMap: true, withSet: true, maxDepth: 3 })
    const map = fc
      .array(fc.tuple(fc.string(), entry))
      .map((entries) => new Map<unknown, unknown>(entries))
    const field = fc.oneof(entry, map, fc.double())
    const fields = ['layout', 'entries', 'records', 'queues', 'owners', 'vacant', 'bytes', 'sweep']
    const shape = fc.record(Object.fromEntries(fields.map((name) => [name, field])), {
      requiredKeys: [],
    })
    const ours = shape.map((left) => ({ ...left, layout: 2 }))
    await fc.assert(
      fc.asyncProperty(fc.oneof(shape, ours, entry), async (left) => {
        const name = newName()
        leave(name, left)
        await use(name)
      }),
      { numRuns: 200 },
    )
  })

  test('keeps its sessions and owners, but none of its counters', async () => {
    const name = newName()
    const [value, records] = await someRecords('ada')
    leave(name, firstEdition(records, { bytes: 1e12 }))
    const store = new MemoryStore({ name })
    expect(await store.loadSession(value)).toBeDefined()
    expect(await store.sessionsOf('ada')).toHaveLength(1)
    expect(store.bytes).toBeLessThan(2000)
    await issue(store)
    expect(await store.count()).toBe(2)
  })

  test('keeps its sessions though others among them are none', async () => {
    const [value, records] = await someRecords('ada')
    const [[id, record] = []] = records as Map<string, object>
    const others: [string, unknown][] = [
      ['nothing', undefined],
      ['without version', { ...record, version: undefined }],
      ['without body', { ...record, body: undefined }],
      ['of a strange owner', { ...record, owner: 5 }],
      ['expired', { ...record, expiry: 1 }],
    ]
    const name = newName()
    leave(name, firstEdition(new Map([...others, [id, record]])))
    const store = new MemoryStore({ name })
    expect(await store.loadSession(value)).toBeDefined()
    expect(await store.count()).toBe(1)
  })

  test('keeps its sessions though it is frozen', async () => {
    const name = newName()
    const value = await issue(new MemoryStore({ name }), 'ada')
    Object.freeze(partitionNamed(name))
    const store = new MemoryStore({ name })
    expect(await store.loadSession(value)).toBeDefined()
    await issue(store)
    expect(await store.count()).toBe(2)
  })

  test('counts as far too large, and nobody is signed out for it', async () => {
    const name = newName()
    const store = new MemoryStore({ name })
    const value = await issue(store)
    for (const bytes of [1e12, -1e12, Number.NaN]) {
      partitionNamed(name).bytes = bytes
      await issue(store)
      expect(await store.loadSession(value)).toBeDefined()
      expect(store.bytes).toBeLessThan(10_000)
    }
  })
})

describe('Y1 two evaluations of the module', () => {
  test('see each other’s sessions, in stores of before and after', async () => {
    const name = newName()
    const earlier = new MemoryStore({ name })
    const first = await issue(earlier)
    vi.resetModules()
    const again = await import('../src/index.ts')
    const later = new again.MemoryStore({ name })
    expect(await later.loadSession(first)).toBeDefined()
    const session = new again.Session()
    session.set('n', 2)
    const second = (await later.storeSession(session)) ?? expect.fail('no value')
    expect(await earlier.loadSession(second)).toBeDefined()
    expect(await new MemoryStore({ name }).loadSession(second)).toBeDefined()
    await earlier.clearStore()
    expect(await later.count()).toBe(0)
  })
})
