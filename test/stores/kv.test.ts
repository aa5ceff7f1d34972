import { env } from 'cloudflare:workers'
import { describe, expect, test, vi } from 'vitest'
import { Session } from '../../src/index.ts'
import { type KVClient, KVStore } from '../../src/stores/kv.ts'
import { storeContract } from '../../src/testing.ts'
import { useClock } from '../support/clock.ts'
import { httpStory } from '../support/http-story.ts'
import { storyApp } from '../support/story-app.ts'

const newPrefix = (): string => `${crypto.randomUUID()}:`
const newStore = (kv: KVClient = env.KV): KVStore => new KVStore(kv, { prefix: newPrefix() })

storeContract('KVStore', () => newStore(), {
  test,
  capabilities: { conditionalWrites: false, owners: false },
})

httpStory(
  'KVStore',
  () => {
    const app = storyApp({ store: newStore() })
    return (url, init) => app.request(url, init)
  },
  { conditionalWrites: false },
)

const clock = useClock()

async function issue(store: KVStore, change?: (session: Session) => void): Promise<string> {
  const session = new Session()
  change?.(session)
  return (await store.storeSession(session)) ?? expect.fail('no value')
}

/** A KVNamespace in a Map that keeps a record of what it was asked. */
function fakeKV(): { kv: KVClient; calls: unknown[][]; entries: Map<string, string> } {
  const entries = new Map<string, string>()
  const calls: unknown[][] = []
  const kv: KVClient = {
    get: async (key) => {
      calls.push(['get', key])
      return entries.get(key) ?? null
    },
    put: async (key, value, options) => {
      calls.push(['put', key, options])
      entries.set(key, value)
    },
    delete: async (key) => {
      calls.push(['delete', key])
      entries.delete(key)
    },
    list: async ({ prefix }) => ({
      keys: [...entries.keys()].filter((key) => key.startsWith(prefix)).map((name) => ({ name })),
      list_complete: true,
    }),
  }
  return { kv, calls, entries }
}

describe('KVStore', () => {
  test.each(['a b', 'é', '\n', 'x'.repeat(129), 5 as unknown as string])(
    'refuses the prefix %j',
    (prefix) => {
      expect(() => new KVStore(env.KV, { prefix })).toThrow(TypeError)
    },
  )

  test('does not read a key before its first write', async () => {
    const { kv, calls } = fakeKV()
    await issue(newStore(kv))
    expect(calls.map(([call]) => call)).toEqual(['put'])
  })

  test.each([
    [1, 60],
    [59, 60],
    [60, 60],
    [60.5, 61],
    [3600, 3600],
  ])('a session with %i s left is put for %i', async (left, ttl) => {
    const { kv, calls } = fakeKV()
    const store = newStore(kv)
    const value = await issue(store, (session) => session.expireIn(left))
    expect(calls[0]?.[2]).toEqual({ expirationTtl: ttl })
    clock.advance(left)
    expect(await store.loadSession(value)).toBeUndefined()
  })

  test('T15 a session may last as long as a Date goes: KV is told the longest it takes', async () => {
    const { kv, calls } = fakeKV()
    for (const year of ['2126-01-01', '+275760-09-13']) {
      await issue(newStore(kv), (session) => session.setExpiry(new Date(year)))
      expect(calls.pop()?.[2]).toEqual({ expirationTtl: 2 ** 31 - 1 })
      const store = newStore()
      const value = await issue(store, (session) => session.setExpiry(new Date(year)))
      expect((await store.loadSession(value))?.expiry).toEqual(new Date(year))
    }
  })

  test.each<[string, unknown, RegExp]>([
    ['a missing binding', undefined, /env\.KV`.*`kv_namespaces`.*wrangler dev` again/],
    ['a Map', new Map(), /KVNamespace/],
    ['a D1 database', env.DB, /KVNamespace/],
    ['an R2 bucket', { get() {}, put() {}, delete() {}, list() {}, head() {} }, /R2/],
    [
      'the storage of a Durable Object',
      { get() {}, put() {}, delete() {}, list() {}, transaction() {} },
      /DurableObjectStore/,
    ],
  ])('T10 %s is refused when the store is made', (_what, kv, message) => {
    expect(() => new KVStore(kv as KVClient)).toThrow(TypeError)
    expect(() => new KVStore(kv as KVClient)).toThrow(message)
  })

  test.each([undefined, 5, new ArrayBuffer(1), { version: 'x' }])(
    'T10 a namespace that answers with what is no text is STORE_FAILED',
    async (answer) => {
      const { kv } = fakeKV()
      const store = newStore({ ...kv, get: async () => answer as never })
      await expect(store.loadSession('A'.repeat(43))).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining('no text'),
      })
      const listing = newStore({ ...kv, list: async () => answer as never })
      await expect(listing.clearStore()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    },
  )

  test('S13 an error of KV’s shows nothing of the session', async () => {
    const { kv } = fakeKV()
    const store = newStore({
      ...kv,
      put: async (key, value) => {
        throw Object.assign(new Error(`KV PUT failed: 400 for ${key}`), { value })
      },
    })
    const session = new Session()
    session.signIn('ada')
    const { cause } = await store.storeSession(session).then(
      () => expect.fail(),
      (error) => error,
    )
    expect(cause.message).toMatch(/^KV PUT failed: 400 for [\w-]+:…$/)
    expect(JSON.stringify(cause)).not.toContain('ada')
  })

  test('a session without expiry is put without one', async () => {
    const { kv, calls } = fakeKV()
    await issue(newStore(kv))
    expect(calls[0]?.[2]).toEqual({})
  })

  test('waits a second and tries again when it writes one key too often', async () => {
    const { kv, calls } = fakeKV()
    const put = vi
      .spyOn(kv, 'put')
      .mockRejectedValueOnce(new Error('KV PUT failed: 429 Too Many Requests'))
    const timeout = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((
      run: () => void,
      ms: number,
    ) => {
      expect(ms).toBeGreaterThanOrEqual(1000)
      expect(ms).toBeLessThanOrEqual(2000)
      run()
    }) as never)
    const store = newStore(kv)
    await issue(store)
    timeout.mockRestore()
    expect(put).toHaveBeenCalledTimes(2)
    expect(calls).toHaveLength(1)
    put.mockRejectedValue(new Error('KV PUT failed: 500'))
    await expect(issue(store)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    // Another error does not go away by waiting.
    expect(put).toHaveBeenCalledTimes(3)
  })

  test('prefixes of which one begins with the other do not meet (T14)', async () => {
    const { kv } = fakeKV()
    const [one, two] = [new KVStore(kv, { prefix: 's' }), new KVStore(kv, { prefix: 's:' })]
    const value = await issue(two)
    expect(await one.loadSession(value)).toBeUndefined()
    await one.clearStore()
    expect(await two.loadSession(value)).toBeDefined()
    await two.clearStore()
    expect(await two.loadSession(value)).toBeUndefined()
  })

  test.each(['', 'null', '5', '[]', '{', '{"version":1}', '"text"'])(
    'a value that is %j is no session (T10)',
    async (bad) => {
      const { kv, entries } = fakeKV()
      const store = newStore(kv)
      const value = await issue(store)
      for (const key of entries.keys()) entries.set(key, bad)
      expect(await store.loadSession(value)).toBeUndefined()
    },
  )

  test('has no methods for owners (O2)', () => {
    for (const method of ['sessionsOf', 'destroySessionsOf', 'destroySessionById']) {
      expect(method in newStore()).toBe(false)
    }
  })
})
