import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test, vi } from 'vitest'
import { idOf } from '../../src/crypto/values.ts'
import { Session } from '../../src/index.ts'
import {
  DurableObjectStore,
  type SessionNamespace,
  SessionObject,
} from '../../src/stores/durable-object.ts'
import { storeContract } from '../../src/testing.ts'
import { httpStory } from '../support/http-story.ts'
import { storyApp } from '../support/story-app.ts'

const newPrefix = (): string => `${crypto.randomUUID()}/`
const newStore = (): DurableObjectStore =>
  new DurableObjectStore(env.SESSIONS, { prefix: newPrefix() })

storeContract('DurableObjectStore', newStore, { test, capabilities: { clear: false } })

httpStory('DurableObjectStore', () => {
  const app = storyApp({ store: newStore() })
  return (url, init) => app.request(url, init)
})

async function issue(
  store: DurableObjectStore,
  change?: (session: Session) => void,
): Promise<string> {
  const session = new Session()
  change?.(session)
  return (await store.storeSession(session)) ?? expect.fail('no value')
}

const load = async (store: DurableObjectStore, value: string): Promise<Session> =>
  (await store.loadSession(value)) ?? expect.fail('no session')

/** Everything that the object of that name keeps. */
async function kept(name: string): Promise<{ keys: string[]; alarm: number | null }> {
  return runInDurableObject(env.SESSIONS.getByName(name), async (_object, { storage }) => ({
    keys: [...(await storage.list()).keys()],
    alarm: await storage.getAlarm(),
  }))
}

/** The real objects, behind a network of which the test has a say. */
function namespaceWith(
  network: (method: string, call: () => Promise<unknown>) => Promise<unknown>,
): SessionNamespace {
  return {
    idFromName: (name) => env.SESSIONS.idFromName(name),
    get: (id) =>
      new Proxy(env.SESSIONS.get(id), {
        get:
          (stub, method: string) =>
          (...args: unknown[]) =>
            network(method, () => Reflect.apply(Reflect.get(stub, method), stub, args)),
      }) as never,
  }
}

/** As if the clock had moved on: alarms are run by hand. */
async function later<T>(seconds: number, body: () => Promise<T>): Promise<T> {
  const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + seconds * 1000)
  try {
    return await body()
  } finally {
    now.mockRestore()
  }
}

describe('DurableObjectStore', () => {
  test('has the same RPC methods in every version: during a deployment both ends may differ', () => {
    expect(Object.getOwnPropertyNames(SessionObject.prototype).sort()).toEqual([
      'alarm',
      'constructor',
      'dropSessions',
      'fetch',
      'insertRecord',
      'keepSession',
      'listSessions',
      'readRecord',
      'removeRecord',
      'replaceRecord',
      'webSocketClose',
    ])
  })

  test.each([
    [
      undefined,
      /got undefined instead of a binding\. Pass `env\.SESSIONS`.*`durable_objects\.bindings`/,
    ],
    [{ get: () => {} }, /takes the binding of a Durable Object class/],
    [Promise.resolve({}), /await it first/],
  ])('T10 is not made with %o', (binding, message) => {
    expect(() => new DurableObjectStore(binding as never)).toThrow(TypeError)
    expect(() => new DurableObjectStore(binding as never)).toThrow(message)
  })

  test('cannot be cleared, and says what to do', async () => {
    await expect(newStore().clearStore()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  test('an unknown id leaves nothing behind, not even a table', async () => {
    const prefix = newPrefix()
    const store = new DurableObjectStore(env.SESSIONS, { prefix })
    const tables = (id: string): Promise<unknown[]> =>
      runInDurableObject(
        env.SESSIONS.getByName(`${prefix} session ${id}`),
        (_object, { storage }) => storage.sql.exec('SELECT name FROM sqlite_master').toArray(),
      )
    const value = 'A'.repeat(43)
    expect(await store.loadSession(value)).toBeUndefined()
    expect(await tables(await idOf(value))).toEqual([])
    const { id } = await load(store, await issue(store))
    expect(await tables(id ?? '')).not.toEqual([])
  })

  test('an alarm at expiry removes the session, and the owner’s entry', async () => {
    const prefix = newPrefix()
    const store = new DurableObjectStore(env.SESSIONS, { prefix })
    const value = await issue(store, (session) => {
      session.signIn('ada')
      session.expireIn(600)
    })
    const { id, expiry } = await load(store, value)
    const [session, owner] = [`${prefix} session ${id}`, `${prefix} owner ada`]
    expect(await kept(session)).toEqual({ keys: ['record'], alarm: expiry?.getTime() })
    expect(await kept(owner)).toEqual({ keys: [`session:${id}`], alarm: expiry?.getTime() })
    await later(600, async () => {
      expect(await runDurableObjectAlarm(env.SESSIONS.getByName(session))).toBe(true)
      expect(await runDurableObjectAlarm(env.SESSIONS.getByName(owner))).toBe(true)
    })
    expect(await kept(session)).toEqual({ keys: [], alarm: null })
    expect(await kept(owner)).toEqual({ keys: [], alarm: null })
  })

  test('an alarm that comes early is set again', async () => {
    const prefix = newPrefix()
    const store = new DurableObjectStore(env.SESSIONS, { prefix })
    const { id, expiry } = await load(store, await issue(store, (session) => session.expireIn(600)))
    const name = `${prefix} session ${id}`
    await runDurableObjectAlarm(env.SESSIONS.getByName(name))
    expect(await kept(name)).toEqual({ keys: ['record'], alarm: expiry?.getTime() })
  })

  test('an extension moves the alarm and the owner’s entry', async () => {
    const prefix = newPrefix()
    const store = new DurableObjectStore(env.SESSIONS, { prefix })
    const value = await issue(store, (session) => {
      session.signIn('ada')
      session.expireIn(600)
    })
    const session = await load(store, value)
    await later(300, () => store.storeSession(session))
    const { id, expiry } = await load(store, value)
    expect((await kept(`${prefix} session ${id}`)).alarm).toBe(expiry?.getTime())
    // The owner's alarm may come early: it finds nothing expired, and is set again.
    const owner = env.SESSIONS.getByName(`${prefix} owner ada`)
    await later(301, () => runDurableObjectAlarm(owner))
    expect((await kept(`${prefix} owner ada`)).alarm).toBe(expiry?.getTime())
    expect(await store.sessionsOf('ada')).toHaveLength(1)
  })

  test('O1 an extension moves the owner’s entry first: should it fail then, sign-out-everywhere still finds the session', async () => {
    const prefix = newPrefix()
    const calls: string[] = []
    let failing = ''
    const store = new DurableObjectStore(
      namespaceWith(async (method, call) => {
        calls.push(method)
        if (method === failing) throw new Error('lost')
        return call()
      }),
      { prefix },
    )
    const value = await issue(store, (session) => {
      session.signIn('ada')
      session.expireIn(600)
    })
    const session = await load(store, value)
    for (failing of ['keepSession', 'replaceRecord']) {
      calls.length = 0
      session.expireIn(1200)
      await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'STORE_FAILED' })
      expect(calls).toEqual(failing === 'keepSession' ? [failing] : ['keepSession', failing])
    }
    failing = ''
    await later(601, async () => {
      await runDurableObjectAlarm(env.SESSIONS.getByName(`${prefix} owner ada`))
      expect((await kept(`${prefix} owner ada`)).keys).toHaveLength(1)
    })
    await store.storeSession(session)
    expect(await store.destroySessionsOf('ada')).toBe(1)
  })

  test('O1 a rotation leaves the owner one entry, that of the new id', async () => {
    const prefix = newPrefix()
    const store = new DurableObjectStore(env.SESSIONS, { prefix })
    const session = await load(store, await issue(store, (s) => s.signIn('ada')))
    session.regenerate()
    await store.storeSession(session)
    expect((await kept(`${prefix} owner ada`)).keys).toEqual([`session:${session.id}`])
    session.signIn('bob')
    await store.storeSession(session)
    expect((await kept(`${prefix} owner ada`)).keys).toEqual([])
    expect((await kept(`${prefix} owner bob`)).keys).toEqual([`session:${session.id}`])
  })

  test('O1 what ends sooner than it was noted stays noted until then, and what is noted is never moved back', async () => {
    const prefix = newPrefix()
    const owner = env.SESSIONS.getByName(`${prefix} owner ada`)
    const noted = (): Promise<unknown> =>
      runInDurableObject(owner, (_object, { storage }) => storage.get('session:x'))
    for (const [expiry, expected] of [
      [5e12, 5e12],
      [4e12, 5e12],
      [6e12, 6e12],
      [null, null],
      [7e12, null],
    ]) {
      await owner.keepSession('x', expiry ?? null)
      expect(await noted()).toBe(expected)
    }
  })

  test('O1 no more than 128 keys are removed at once, by a listing, a sign-out or an alarm', async () => {
    const prefix = newPrefix()
    const owner = env.SESSIONS.getByName(`${prefix} owner ada`)
    const store = new DurableObjectStore(env.SESSIONS, { prefix })
    // Cloudflare takes no more (https://developers.cloudflare.com/durable-objects/platform/limits/); the local runtime does.
    await runInDurableObject(owner, (_object, { storage }) => {
      const remove = storage.delete.bind(storage) as (keys: string | string[]) => Promise<number>
      storage.delete = (async (keys: string | string[]) => {
        if (Array.isArray(keys) && keys.length > 128) throw new Error('too many keys')
        return remove(keys)
      }) as never
    })
    const fill = (count: number, expiry: number | null): Promise<void> =>
      runInDurableObject(owner, async (_object, { storage }) => {
        for (let n = 0; n < count; n++) await storage.put(`session:${n}`, expiry)
      })
    await fill(300, null)
    expect(await store.sessionsOf('ada')).toEqual([])
    expect(await kept(`${prefix} owner ada`)).toEqual({ keys: [], alarm: null })
    await owner.keepSession('live', null)
    await fill(300, Date.now() - 1)
    await runInDurableObject(owner, (object) => (object as SessionObject).alarm())
    expect((await kept(`${prefix} owner ada`)).keys).toEqual(['session:live'])
    await owner.dropSessions(Array.from({ length: 300 }, (_, n) => `${n}`))
    for (let n = 0; n < 150; n++) await issue(store, (session) => session.signIn('ada'))
    expect(await store.destroySessionsOf('ada')).toBe(150)
  })

  test('O1 a sign-out everywhere that fails half-way has ended what it came to', async () => {
    const prefix = newPrefix()
    const plain = new DurableObjectStore(env.SESSIONS, { prefix })
    await Promise.all(
      Array.from({ length: 200 }, () => issue(plain, (session) => session.signIn('ada'))),
    )
    let calls = 0
    const store = new DurableObjectStore(
      namespaceWith(async (_method, call) => {
        if (++calls > 190) throw new Error('Too many subrequests.')
        return call()
      }),
      { prefix },
    )
    await expect(store.destroySessionsOf('ada')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    const left = (await plain.sessionsOf('ada')).length
    expect(left).toBeLessThanOrEqual(150)
    expect(await plain.destroySessionsOf('ada')).toBe(left)
  })

  test('T15 a session may end later than an alarm can be set', async () => {
    const prefix = newPrefix()
    const store = new DurableObjectStore(env.SESSIONS, { prefix })
    const value = await issue(store, (session) => {
      session.signIn('ada')
      session.setExpiry(new Date(8.64e15))
    })
    const { id, expiry } = await load(store, value)
    expect(expiry?.getTime()).toBe(8.64e15)
    for (const name of [`${prefix} session ${id}`, `${prefix} owner ada`]) {
      expect((await kept(name)).alarm).toBe(Date.UTC(2189, 0))
    }
  })

  test('destroying leaves nothing behind, of the owner’s either', async () => {
    const prefix = newPrefix()
    const store = new DurableObjectStore(env.SESSIONS, { prefix })
    const session = await load(store, await issue(store, (s) => s.signIn('ada')))
    const { id } = session
    await store.destroySession(session)
    expect(await kept(`${prefix} session ${id}`)).toEqual({ keys: [], alarm: null })
    expect(await kept(`${prefix} owner ada`)).toEqual({ keys: [], alarm: null })
  })

  test('a session whose object was evicted is still there', async () => {
    const prefix = newPrefix()
    const store = new DurableObjectStore(env.SESSIONS, { prefix })
    const value = await issue(store, (session) => session.set('n', 1))
    const { id } = await load(store, value)
    await evictDurableObject(env.SESSIONS.getByName(`${prefix} session ${id}`))
    expect((await load(store, value)).get('n')).toBe(1)
  })

  test('objects that were aborted are asked again, with a stub of their own', async () => {
    const store = newStore()
    const value = await issue(store, (session) => session.set('n', 1))
    const session = await load(store, value)
    await abortAllDurableObjects()
    session.set('n', 2)
    await store.storeSession(session)
    expect((await load(store, value)).get('n')).toBe(2)
  })

  test('tries once more where the platform says that it may, and not when it is overloaded', async () => {
    const failing = (
      error: object,
      times: number,
    ): { namespace: SessionNamespace; asked: () => number } => {
      let asked = 0
      const namespace: SessionNamespace = {
        idFromName: (name) => name,
        get: () =>
          ({
            readRecord: async () => {
              if (asked++ < times) throw Object.assign(new Error('broken'), error)
              return undefined
            },
          }) as never,
      }
      return { namespace, asked: () => asked }
    }
    const value = 'A'.repeat(43)
    const once = failing({ retryable: true }, 1)
    expect(await new DurableObjectStore(once.namespace).loadSession(value)).toBeUndefined()
    expect(once.asked()).toBe(2)
    for (const error of [{ retryable: true, overloaded: true }, {}, { retryable: false }]) {
      const { namespace, asked } = failing(error, 1)
      await expect(new DurableObjectStore(namespace).loadSession(value)).rejects.toMatchObject({
        code: 'STORE_FAILED',
      })
      expect(asked()).toBe(1)
    }
  })

  test('a step whose reply was lost is done once, and the owner’s index knows of it', async () => {
    const prefix = newPrefix()
    let lost: string | undefined
    // A network that loses one reply and says that it may be asked again.
    const namespace = namespaceWith(async (method, call) => {
      const reply = await call()
      if (method !== lost) return reply
      lost = undefined
      throw Object.assign(new Error('Network connection lost.'), { retryable: true })
    })
    const store = new DurableObjectStore(namespace, { prefix })
    lost = 'insertRecord'
    const value = await issue(store, (session) => {
      session.signIn('ada')
      session.expireIn(600)
    })
    expect(lost).toBeUndefined()
    const { id } = await load(store, value)
    expect((await store.sessionsOf('ada')).map((device) => device.id)).toEqual([id])
    const session = await load(store, value)
    session.expireIn(1200)
    lost = 'replaceRecord'
    await store.storeSession(session)
    expect(lost).toBeUndefined()
    expect((await load(store, value)).expiry).toEqual(session.expiry)
    expect(await store.destroySessionsOf('ada')).toBe(1)
    expect(await store.loadSession(value)).toBeUndefined()
  })

  test('two prefixes do not meet (T14), whatever their owners are called', async () => {
    const prefix = newPrefix()
    const one = new DurableObjectStore(env.SESSIONS, { prefix })
    for (const more of ['session', 'owner', 'owner:', 's']) {
      const two = new DurableObjectStore(env.SESSIONS, { prefix: prefix + more })
      for (const owner of ['ada', ' owner ada', `${more} owner ada`, 'session ada']) {
        const value = await issue(one, (session) => session.signIn(owner))
        expect(await two.loadSession(value)).toBeUndefined()
        expect(await two.sessionsOf('ada')).toEqual([])
        expect(await two.destroySessionsOf('ada')).toBe(0)
        expect(await one.destroySessionsOf(owner)).toBe(1)
      }
    }
  })

  test('two hundred updates at once end at two hundred', async () => {
    const store = newStore()
    const value = await issue(store)
    const add = async (): Promise<void> => {
      const session = await load(store, value)
      session.update('n', (n) => Number(n ?? 0) + 1)
      await store.storeSession(session)
    }
    await Promise.all(Array.from({ length: 200 }, add))
    expect((await load(store, value)).get('n')).toBe(200)
  }, 60_000)
})

describe('DurableObjectStore.watch', () => {
  /** A session that is watched, and how often its end was told. */
  async function watched(
    network: Parameters<typeof namespaceWith>[0] = (_method, call) => call(),
  ): Promise<{
    store: DurableObjectStore
    value: string
    name: string
    session: Session
    ends: () => number
    stop: () => void
  }> {
    const prefix = newPrefix()
    const store = new DurableObjectStore(namespaceWith(network), { prefix })
    const value = await issue(store, (session) => {
      session.signIn('ada')
      session.expireIn(600)
    })
    const session = await load(store, value)
    let ended = 0
    const stop = await store.watch(session, () => ended++)
    return {
      store,
      value,
      name: `${prefix} session ${session.id}`,
      session,
      ends: () => ended,
      stop,
    }
  }

  const ENDINGS: Record<string, (world: Awaited<ReturnType<typeof watched>>) => Promise<unknown>> =
    {
      'a sign-out': async ({ store, value }) => store.destroySession(await load(store, value)),
      'a revocation': ({ store }) => store.destroySessionsOf('ada'),
      'a revocation by id': ({ store, session }) =>
        store.destroySessionById('ada', session.id ?? ''),
      'a rotation': async ({ store, value }) => {
        const other = await load(store, value)
        other.regenerate()
        return store.storeSession(other)
      },
      'its expiry': ({ name }) =>
        later(600, () => runDurableObjectAlarm(env.SESSIONS.getByName(name))),
    }

  test.each(Object.keys(ENDINGS))('tells once that a session has ended, by %s', async (how) => {
    const world = await watched()
    const other = await load(world.store, world.value)
    other.set('n', 1)
    other.expireIn(1200)
    if (how !== 'its expiry') await world.store.storeSession(other)
    expect(world.ends()).toBe(0)
    await ENDINGS[how]?.(world)
    await expect.poll(world.ends).toBe(1)
    await world.store.destroySessionsOf('ada')
    expect(world.ends()).toBe(1)
  })

  test('tells at once of a session that has ended already', async () => {
    const { store, session, value } = await watched()
    await store.destroySession(await load(store, value))
    const onEnd = vi.fn()
    await store.watch(session, onEnd)
    expect(onEnd).toHaveBeenCalledOnce()
    session.destroy()
    await store.destroySession(session)
    await store.watch(session, onEnd)
    expect(onEnd).toHaveBeenCalledTimes(2)
  })

  test('is UNSUPPORTED for a session that was never stored', async () => {
    await expect(newStore().watch(new Session(), () => {})).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    })
  })

  test('tells nothing any more after it was stopped', async () => {
    const { stop, store, session, ends } = await watched()
    const still = vi.fn()
    await store.watch(session, still)
    stop()
    await store.destroySessionsOf('ada')
    await expect.poll(() => still.mock.calls.length).toBe(1)
    expect(ends()).toBe(0)
  })

  test('an object that is evicted meanwhile still tells', async () => {
    const { store, ends, name } = await watched()
    await evictDurableObject(env.SESSIONS.getByName(name))
    await store.destroySessionsOf('ada')
    await expect.poll(ends).toBe(1)
  })

  test('a connection that breaks is made anew, as with a deployment, and tells later', async () => {
    let connections = 0
    const { store, ends } = await watched((method, call) => {
      if (method === 'fetch') connections++
      return call()
    })
    await abortAllDurableObjects()
    await expect.poll(() => connections, { timeout: 5000 }).toBe(2)
    expect(ends()).toBe(0)
    await store.destroySessionsOf('ada')
    await expect.poll(ends).toBe(1)
  })

  test('a session that ends while the connection is broken has ended', async () => {
    const { store, ends } = await watched()
    await abortAllDurableObjects()
    await store.destroySessionsOf('ada')
    await expect.poll(ends, { timeout: 5000 }).toBe(1)
  })

  test('a connection that cannot be made anew counts as an end', async () => {
    let isDown = false
    const { ends } = await watched((method, call) => {
      if (method === 'fetch' && isDown) throw new Error('unreachable')
      return call()
    })
    isDown = true
    await abortAllDurableObjects()
    await expect.poll(ends, { timeout: 5000 }).toBe(1)
  })

  test('an object that cannot be reached at first is STORE_FAILED', async () => {
    const failing = watched((method, call) => {
      if (method === 'fetch') throw new Error('unreachable')
      return call()
    })
    await expect(failing).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })
})
