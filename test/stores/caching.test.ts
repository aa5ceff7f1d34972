import { describe, expect, test } from 'vitest'
import { MemoryStore, Session } from '../../src/index.js'
import { CachingStore } from '../../src/stores/caching.js'
import { FaultyStore, storeContract } from '../../src/testing.js'
import { useClock } from '../support/clock.js'
import { httpStory } from '../support/http-story.js'
import { storyApp } from '../support/story-app.js'

const newMemory = (): MemoryStore =>
  new MemoryStore({ name: `caching-${crypto.randomUUID()}`, warn: false })
const newStore = (): CachingStore => new CachingStore(newMemory(), newMemory(), { maxAge: 10 })

storeContract('CachingStore', newStore, { test })

httpStory('CachingStore', () => {
  const app = storyApp({ store: newStore() })
  return (url, init) => app.request(url, init)
})

const clock = useClock()

interface World {
  backing: FaultyStore
  /** Two isolates, each with a cache of its own. */
  here: CachingStore
  there: CachingStore
  loads: () => number
}

function world(): World {
  const backing = new FaultyStore(newMemory())
  const [here, there] = [1, 2].map(() => new CachingStore(newMemory(), backing, { maxAge: 10 }))
  if (!here || !there) throw new Error('two were made')
  const loads = (): number => backing.calls.filter(({ method }) => method === 'loadSession').length
  return { backing, here, there, loads }
}

async function issue(store: CachingStore, change?: (session: Session) => void): Promise<string> {
  const session = new Session()
  change?.(session)
  return (await store.storeSession(session)) ?? expect.fail('no value')
}

const load = async (store: CachingStore, value: string): Promise<Session> =>
  (await store.loadSession(value)) ?? expect.fail('no session')

describe('CachingStore', () => {
  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5'])('refuses maxAge %s', (maxAge) => {
    expect(() => new CachingStore(newMemory(), newMemory(), { maxAge: maxAge as number })).toThrow(
      TypeError,
    )
  })

  test('reads once from the store and then from the isolate, for maxAge seconds', async () => {
    const { here, loads } = world()
    const value = await issue(here, (session) => session.set('n', 1))
    for (let i = 0; i < 10; i++) {
      expect((await load(here, value)).get('n')).toBe(1)
      clock.advance(0.9)
    }
    expect(loads()).toBe(1)
    clock.advance(1)
    await load(here, value)
    expect(loads()).toBe(2)
  })

  test('what is done in another isolate is seen after maxAge, and not later', async () => {
    const { here, there } = world()
    const value = await issue(here, (session) => session.set('n', 1))
    await load(there, value)
    const session = await load(here, value)
    session.set('n', 2)
    await here.storeSession(session)
    expect((await load(there, value)).get('n')).toBe(1)
    clock.advance(10)
    expect((await load(there, value)).get('n')).toBe(2)
    await here.destroySession(await load(here, value))
    expect(await there.loadSession(value)).toBeDefined()
    clock.advance(10)
    expect(await there.loadSession(value)).toBeUndefined()
  })

  test('what is done in this isolate is seen at once', async () => {
    const { here } = world()
    const value = await issue(here, (session) => session.signIn('ada'))
    const session = await load(here, value)
    session.set('n', 2)
    await here.storeSession(session)
    expect((await load(here, value)).get('n')).toBe(2)
    const other = await issue(here, (s) => s.signIn('ada'))
    await load(here, other)
    await here.destroySessionsOf?.('ada', { except: other === value ? '' : session })
    expect(await here.loadSession(other)).toBeUndefined()
    await here.destroySessionById?.('ada', session.id ?? '')
    expect(await here.loadSession(value)).toBeUndefined()
  })

  test('a write on what was cached loses nothing of what was written elsewhere', async () => {
    const { here, there } = world()
    const value = await issue(here, (session) => session.set('n', 0))
    await load(there, value)
    for (let i = 0; i < 5; i++) {
      const session = await load(here, value)
      session.update('n', (n) => Number(n) + 1)
      await here.storeSession(session)
    }
    const stale = await load(there, value)
    expect(stale.get('n')).toBe(0)
    stale.update('n', (n) => Number(n) + 1)
    await there.storeSession(stale)
    expect(stale.get('n')).toBe(6)
    expect((await load(there, value)).get('n')).toBe(6)
  })

  test('a write on what was cached does not bring back what has ended elsewhere', async () => {
    const { here, there } = world()
    const value = await issue(here)
    await load(there, value)
    await here.destroySession(await load(here, value))
    const stale = await load(there, value)
    stale.set('n', 1)
    await expect(there.storeSession(stale)).rejects.toMatchObject({ code: 'SESSION_GONE' })
    expect(await there.loadSession(value)).toBeUndefined()
  })

  test('a load that was under way does not hide a sign-out in the same isolate', async () => {
    const { backing, here } = world()
    const value = await issue(here)
    const session = await load(here, value)
    clock.advance(10)
    const slow = backing.stallNextAfter('loadSession')
    const loading = here.loadSession(value)
    await slow.reached
    await here.destroySession(session)
    slow.release()
    await loading
    expect(await here.loadSession(value)).toBeUndefined()
  })

  test('a session that was stored and cached while everyone is signed out does not live on in the cache', async () => {
    const { backing, here } = world()
    await issue(here, (session) => session.signIn('ada'))
    const ending = backing.stallNext('destroySessionsOf')
    const signingOut = here.destroySessionsOf?.('ada')
    await ending.reached
    const late = await issue(here, (session) => session.signIn('ada'))
    await load(here, late)
    ending.release()
    await signingOut
    expect(await here.loadSession(late)).toBeUndefined()
  })

  test('a session that the cache has no room for is read from the store', async () => {
    const backing = newMemory()
    const cache = new MemoryStore({
      name: `small-${crypto.randomUUID()}`,
      maxBytes: 300,
      warn: false,
    })
    const store = new CachingStore(cache, backing, { maxAge: 10 })
    const value = await issue(store, (session) => session.set('n', 'x'.repeat(500)))
    expect((await load(store, value)).get('n')).toHaveLength(500)
  })

  test('an expired session is none, cached or not', async () => {
    const { here } = world()
    const value = await issue(here, (session) => session.expireIn(5))
    await load(here, value)
    clock.advance(5)
    expect(await here.loadSession(value)).toBeUndefined()
  })

  test('the store failing is an error, unless the answer is cached', async () => {
    const { backing, here } = world()
    const value = await issue(here)
    backing.failNext('loadSession')
    await expect(here.loadSession(value)).rejects.toThrow()
    await load(here, value)
    backing.failNext('loadSession')
    expect(await here.loadSession(value)).toBeDefined()
  })
})
