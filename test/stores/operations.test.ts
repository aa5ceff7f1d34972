import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import type { SessionStore } from '../../src/index.ts'
import { CachingStore } from '../../src/stores/caching.ts'
import { type D1Client, D1Store } from '../../src/stores/d1.ts'
import { DurableObjectStore, type SessionNamespace } from '../../src/stores/durable-object.ts'
import { type KVClient, KVStore } from '../../src/stores/kv.ts'
import { useClock } from '../support/clock.ts'
import { storyApp } from '../support/story-app.ts'
import { Visitor } from '../support/visitor.ts'

type Operation = 'read' | 'write'

/** The same object, whose methods are counted by what they do to the backend. */
function counted<T extends object>(
  target: T,
  kinds: Record<string, Operation>,
  log: Operation[],
): T {
  return new Proxy(target, {
    get(object, key: string) {
      const value: unknown = Reflect.get(object, key)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const kind = kinds[key]
        if (kind) log.push(kind)
        // Not value.apply: a stub would take that for the name of a method.
        const result: unknown = Reflect.apply(value, object, args)
        const isBuilder = ['prepare', 'bind', 'withSession', 'get'].includes(key) && !kind
        return isBuilder ? counted(result as object, kinds, log) : result
      }
    },
  })
}

const table = `operations_${crypto.randomUUID().slice(0, 8)}`
const prefix = `${crypto.randomUUID()}/`

const D1_KINDS: Record<string, Operation> = { first: 'read', all: 'read', run: 'write' }
const KV_KINDS: Record<string, Operation> = {
  get: 'read',
  list: 'read',
  put: 'write',
  delete: 'write',
}
const OBJECT_KINDS: Record<string, Operation> = {
  readRecord: 'read',
  listSessions: 'read',
  insertRecord: 'write',
  replaceRecord: 'write',
  removeRecord: 'write',
  keepSession: 'write',
  dropSessions: 'write',
}

const STORES: Record<string, (log: Operation[]) => SessionStore> = {
  D1Store: (log) => new D1Store(counted(env.DB as D1Client, D1_KINDS, log), { table }),
  KVStore: (log) => new KVStore(counted(env.KV as KVClient, KV_KINDS, log), { prefix }),
  DurableObjectStore: (log) =>
    new DurableObjectStore(counted(env.SESSIONS as SessionNamespace, OBJECT_KINDS, log), {
      prefix,
    }),
}

// Alarms go by the real clock: what expires in these tests must lie ahead of it.
const clock = useClock('2099-01-01T00:00:00Z')
const post = { method: 'POST' }

beforeAll(() => new D1Store(env.DB, { table }).migrate())

describe.each(Object.entries(STORES))('what a request costs with %s', (_name, makeStore) => {
  function world(): {
    ada: Visitor
    during: (path: string, init?: RequestInit) => Promise<string>
  } {
    const log: Operation[] = []
    const app = storyApp({ store: () => makeStore(log) })
    const ada = new Visitor(app as never)
    const during = async (path: string, init?: RequestInit): Promise<string> => {
      log.length = 0
      await ada.visit(path, init)
      return log.join(' ')
    }
    return { ada, during }
  }

  test('nothing without a cookie, if nothing is written', async () => {
    const { during } = world()
    expect(await during('/untouched')).toBe('')
    expect(await during('/look')).toBe('')
  })

  test('nothing for a cookie that we did not issue and could not have', async () => {
    const { ada, during } = world()
    ada.cookies.set('__Host-session', 'garbage')
    expect(await during('/look')).toBe('')
  })

  test('one write for the first write, one read to read, a read and a write to write', async () => {
    const { during } = world()
    expect(await during('/count', post)).toBe('write')
    expect(await during('/look')).toBe('read')
    expect(await during('/count', post)).toBe('read write')
  })

  test('at most four to sign in, one more to sign out than to read', async () => {
    const { during } = world()
    await during('/count', post)
    expect((await during('/sign-in/ada', post)).split(' ').length).toBeLessThanOrEqual(4)
    expect((await during('/sign-out', post)).split(' ').length).toBeLessThanOrEqual(3)
  })

  test('a thousand reads within touchAfter, and no write', async () => {
    const { during } = world()
    await during('/count', post)
    for (let i = 0; i < 1000; i++) {
      clock.advance(8)
      expect(await during('/look')).toBe('read')
    }
  })
})

test('CachingStore: a thousand reads within maxAge are one', async () => {
  const log: Operation[] = []
  const d1 = STORES.D1Store?.(log) ?? expect.fail()
  const app = storyApp({ store: new CachingStore(d1, { maxAge: 60 }) })
  const ada = new Visitor(app as never)
  await ada.visit('/count', post)
  log.length = 0
  for (let i = 0; i < 1000; i++) await ada.visit('/look')
  expect(log).toEqual(['read'])
})
