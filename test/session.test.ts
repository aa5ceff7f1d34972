import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import { MemoryStore, Session, SessionError } from '../src/index.ts'
import { useClock } from './support/clock.ts'

const clock = useClock()
const newStore = (): MemoryStore => new MemoryStore({ name: crypto.randomUUID() })

/** A session that a store has held, loaded again. */
async function stored(
  data: Record<string, unknown> = {},
  store = newStore(),
): Promise<{ store: MemoryStore; value: string; session: Session; load: () => Promise<Session> }> {
  const fresh = new Session()
  for (const [key, value] of Object.entries(data)) fresh.set(key, value)
  const value = (await store.storeSession(fresh)) ?? ''
  const load = async (): Promise<Session> => (await store.loadSession(value)) ?? expect.fail('gone')
  return { store, value, session: await load(), load }
}

describe('S1 a new session', () => {
  test('is empty, without id, not stored, not changed', () => {
    const session = new Session()
    expect(session.id).toBeUndefined()
    expect(session.isNew).toBe(true)
    expect(session.isDestroyed).toBe(false)
    expect(session.isExpired).toBe(false)
    expect(session.dataChanged).toBe(false)
    expect(session.expiry).toBeUndefined()
    expect(session.owner).toBeUndefined()
    expect(session.size).toBe(0)
    expect([...session.keys()]).toEqual([])
    expect(session.createdAt).toEqual(new Date())
  })

  test('has no cookie value that anyone could read', async () => {
    const { session, value } = await stored({ a: 1 })
    const seen = [JSON.stringify(session), String(session), ...Object.keys(session)].join()
    expect(seen).not.toContain(value)
  })
})

describe('S2 get', () => {
  test('get() without a key is a mistake that is said', () => {
    const session = new Session() as unknown as { get(): unknown }
    expect(() => session.get()).toThrow(new TypeError("get() takes a key: session.get('cart')."))
  })

  test('gives a deep-frozen copy: changing it throws where it happens', async () => {
    const { session } = await stored({ cart: { items: ['tea'] } })
    const cart = session.get('cart') as { items: string[] }
    expect(() => cart.items.push('milk')).toThrow(TypeError)
    expect(() => Object.assign(cart, { more: 1 })).toThrow(TypeError)
    expect(session.get('cart')).toEqual({ items: ['tea'] })
  })

  test('is frozen before it was stored, too', () => {
    const session = new Session()
    session.set('list', [[1]])
    expect(() => (session.get('list') as number[][])[0]?.push(2)).toThrow(TypeError)
  })

  test('gives undefined for a missing key, and for what every object has', () => {
    const session = new Session()
    for (const key of ['missing', 'toString', '__proto__', 'constructor', 'hasOwnProperty']) {
      expect(session.get(key)).toBeUndefined()
      expect(session.has(key)).toBe(false)
      expect(session.delete(key)).toBe(false)
      expect(session.dataChanged).toBe(false)
    }
  })
})

describe('S3 set', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  let deep: unknown = 'bottom'
  for (let level = 0; level < 100_000; level++) deep = [deep]
  class Point {
    x = 'private-value'
  }
  class Sneaky extends Array<unknown> {
    override map(): never[] {
      return [new Map() as never]
    }
  }
  const Orphan = function (this: object): void {} as unknown as new () => object
  Orphan.prototype = Object.create(null)
  const answerWithFunction = (target: object, name: string | symbol): unknown =>
    name === '0' ? () => 'private-value' : Reflect.get(target, name)
  const revoked = (): object => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }
  const refused: [string, unknown][] = [
    ['undefined', undefined],
    ['a function', () => 'private-value'],
    ['a symbol', Symbol('private-value')],
    ['a bigint', 123n],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['a Date', new Date()],
    ['a Map', new Map([['k', 'private-value']])],
    ['a Set', new Set(['private-value'])],
    ['a class instance', new Point()],
    ['a boxed string', new String('private-value')],
    ['a Uint8Array', new Uint8Array(3)],
    ['a cycle', cycle],
    ['nesting without end', deep],
    ['undefined in an object', { a: undefined }],
    ['a hole in an array', Object.assign([1], { 2: 3 })],
    ['a Date far down', { a: [{ b: new Date() }] }],
    ['a __proto__ key', JSON.parse('{"__proto__":{"polluted":1}}')],
    ['a __proto__ key far down', JSON.parse('{"a":[{"__proto__":{"polluted":1}}]}')],
    ['a constructor key', { constructor: 1 }],
    ['a prototype key far down', { a: { prototype: 1 } }],
    ['a symbol key', { [Symbol('private-value')]: 1 }],
    ['an instance of a subclass of Array', Sneaky.from(['private-value'])],
    ['an array whose prototype was replaced', Object.setPrototypeOf([1], Sneaky.prototype)],
    ['an array without prototype', Object.setPrototypeOf([1], null)],
    ['an array with a method of its own', Object.assign([1], { map: () => [new Map()] })],
    ['an array that answers with a function', new Proxy([1], { get: answerWithFunction })],
    ['an object that answers with a Date', new Proxy({ a: 1 }, { get: () => new Date() })],
    ['an object with a hidden chain', Object.create(Object.create(null))],
    ['an object that inherits from another', Object.create({ inherited: 'private-value' })],
    ['an instance of a class without parent', new Orphan()],
    ['an object with toJSON', { toJSON: () => 'private-value' }],
    ['a boxed number', Object(5)],
    ['a boxed boolean', Object(true)],
    ['a boxed bigint', Object(5n)],
    ['a promise', Promise.resolve('private-value')],
    ['an error', new Error('private-value')],
    ['a URL', new URL('https://private-value.example')],
    ['a revoked proxy', revoked()],
    ['a tag that lies', { __proto__: { [Symbol.toStringTag]: 'private-value' } }],
    [
      'a getter that throws',
      {
        get secret(): string {
          throw new Error('private-value')
        },
      },
    ],
  ]

  test.each(refused)(
    'refuses %s at once, naming the key and nothing of the value',
    (_what, value) => {
      const session = new Session()
      session.set('before', 1)
      const attempts = [
        () => session.set('basket', value),
        () => session.flash('basket', value),
        () => session.update('basket', () => (value === undefined ? Number.NaN : value)),
      ]
      for (const attempt of attempts) {
        expect(attempt).toThrow(TypeError)
        expect(attempt).toThrow(/"basket"/)
        expect(attempt).not.toThrow(/private-value|polluted/)
      }
      expect([...session.keys()]).toEqual(['before'])
      expect(session.has('basket')).toBe(false)
    },
  )

  test.each(['__proto__', 'constructor', 'prototype'])('refuses %s as a key', (key) => {
    const session = new Session()
    expect(() => session.set(key, 1)).toThrow(TypeError)
    expect(() => session.flash(key, 1)).toThrow(TypeError)
    expect(() => session.update(key, () => 1)).toThrow(TypeError)
  })

  test('a later change to the object does not reach the session', async () => {
    const item = { tags: ['a'] }
    const session = new Session()
    session.set('item', item)
    item.tags.push('b')
    expect(session.get('item')).toEqual({ tags: ['a'] })
  })

  test('takes one object in two places, which is no cycle', () => {
    const shared = { n: 1 }
    const session = new Session()
    session.set('pair', [shared, shared])
    expect(session.get('pair')).toEqual([{ n: 1 }, { n: 1 }])
  })

  test('reads each property once, and calls nothing of the caller’s afterwards', async () => {
    let isOver = false
    const reads: string[] = []
    const watched = <T extends object>(target: T): T =>
      new Proxy(target, {
        get(object, name): unknown {
          if (isOver) throw new Error('too late')
          if (reads.includes(String(name))) return () => 'another answer'
          reads.push(String(name))
          return Reflect.get(object, name)
        },
        ownKeys: (object) => {
          if (isOver) throw new Error('too late')
          return Reflect.ownKeys(object)
        },
      })
    const list = [1, 2]
    Object.defineProperty(list, 'map', { value: () => [new Map()] })
    const Species = Object.defineProperty(() => {}, Symbol.species, { value: Map })
    Object.defineProperty(list, 'constructor', { value: Species })
    const { store, session, load } = await stored()
    session.set('object', watched({ a: watched(list), b: 'x' }))
    let answers = 0
    const once = (): number => ++answers
    session.flash('flash', Object.defineProperty({}, 'once', { get: once, enumerable: true }))
    expect(answers).toBe(1)
    reads.length = 0
    session.update('updated', () => watched({ c: 1 }))
    isOver = true
    expect(session.get('object')).toEqual({ a: [1, 2], b: 'x' })
    expect(Array.isArray((session.get('object') as { a: unknown }).a)).toBe(true)
    session.set('object', { a: [1, 2], b: 'x' })
    await store.storeSession(session)
    expect((await load()).get('object')).toEqual({ a: [1, 2], b: 'x' })
    expect((await load()).get('updated')).toEqual({ c: 1 })
  })

  test.each<[string, unknown, string]>([
    ['a Date', { at: new Date() }, 'date.toISOString()'],
    ['undefined in an object', { a: undefined }, 'Leave the property out'],
    ['a Map', new Map(), '[...map]'],
    ['a Set', [new Set()], '[...set]'],
    ['a bigint', [1n], 'String(value)'],
    ['a promise', Promise.resolve(1), 'Await it'],
    ['a class instance', new Point(), 'plain object'],
    ['a subclass of Array', new Sneaky(), '[...value]'],
  ])('says what to do with %s instead', (_what, value, remedy) => {
    expect(() => new Session().set('basket', value)).toThrow(remedy)
  })

  test('takes plain objects of any kind: without prototype, and as another realm makes them', () => {
    // No other realm can be had in a Worker, so its prototypes are copies of ours.
    const realm = Object.create(null, Object.getOwnPropertyDescriptors(Object.prototype))
    const arrays = Object.setPrototypeOf([], realm)
    const list = Object.setPrototypeOf([1, 2], arrays)
    const value = Object.setPrototypeOf({ list }, realm)
    const session = new Session()
    session.set('bare', Object.assign(Object.create(null), { a: 1 }))
    session.set('foreign', value)
    expect(session.get('bare')).toEqual({ a: 1 })
    expect(session.get('foreign')).toEqual({ list: [1, 2] })
  })

  test('what was set reads as what will be loaded', async () => {
    const session = new Session()
    session.set('zero', -0)
    expect(Object.is(session.get('zero'), 0)).toBe(true)
  })
})

describe('S4 changes', () => {
  test('setting what is there is none', async () => {
    const { session } = await stored({ n: 1, list: [1, { a: 2 }] })
    session.set('n', 1)
    session.set('list', [1, { a: 2 }])
    session.update('n', (n) => n)
    session.delete('missing')
    session.update('missing', () => undefined)
    expect(session.dataChanged).toBe(false)
  })

  test('setting what is there leaves what another request makes of it', async () => {
    const { store, session, load } = await stored({ n: 1 })
    const other = await load()
    other.set('n', 2)
    await store.storeSession(other)
    session.set('n', 1)
    session.set('more', true)
    await store.storeSession(session)
    expect((await load()).get('n')).toBe(2)
  })

  test('changing and changing back is one', async () => {
    const { store, session, load } = await stored({ n: 1 })
    const other = await load()
    other.set('n', 5)
    await store.storeSession(other)
    session.set('n', 2)
    session.set('n', 1)
    expect(session.dataChanged).toBe(true)
    await store.storeSession(session)
    expect((await load()).get('n')).toBe(1)
  })

  test('setting what an update has just come to is one, should the update come to something else', async () => {
    const { store, session, load } = await stored({ n: 0 })
    const other = await load()
    other.set('n', 5)
    await store.storeSession(other)
    session.update('n', (n) => Number(n) + 1)
    session.set('n', 1)
    await store.storeSession(session)
    expect((await load()).get('n')).toBe(1)
  })

  test('dataChanged is over when it is stored, and not touched by expiry, regenerate and destroy', async () => {
    const { store, session, load } = await stored({ n: 1 })
    session.set('n', 2)
    expect(session.dataChanged).toBe(true)
    const storing = store.storeSession(session)
    expect(session.dataChanged).toBe(true)
    await storing
    expect(session.dataChanged).toBe(false)
    session.expireIn(60)
    session.regenerate()
    expect(session.dataChanged).toBe(false)
    ;(await load()).destroy()
  })

  test('clear, delete and update to undefined take data away', async () => {
    const { store, session, load } = await stored({ a: 1, b: 2, c: 3 })
    expect(session.delete('a')).toBe(true)
    session.update('b', () => undefined)
    expect([...session.keys()]).toEqual(['c'])
    session.clear()
    expect(session.size).toBe(0)
    await store.storeSession(session)
    expect((await load()).size).toBe(0)
  })
})

describe('S5 update', () => {
  test('runs at once, once, on a copy that may be modified', async () => {
    const { session } = await stored({ cart: { items: ['tea'] } })
    const change = vi.fn((cart: unknown) => {
      ;(cart as { items: string[] }).items.push('milk')
      return cart
    })
    session.update('cart', change)
    expect(change).toHaveBeenCalledOnce()
    expect(session.get('cart')).toEqual({ items: ['tea', 'milk'] })
  })

  test('runs again on the latest value if another request was faster', async () => {
    const { store, session, load } = await stored({ n: 0 })
    const other = await load()
    other.set('n', 10)
    await store.storeSession(other)
    const seen: unknown[] = []
    session.update('n', (n) => {
      seen.push(n)
      return Number(n) + 1
    })
    await store.storeSession(session)
    expect(seen).toEqual([0, 10])
    expect(session.get('n')).toBe(11)
    expect((await load()).get('n')).toBe(11)
  })

  test('two hundred at once end at two hundred', async () => {
    const { store, load } = await stored({ n: 0 })
    const requests = Array.from({ length: 200 }, async () => {
      const session = await load()
      session.update('n', (n) => Number(n) + 1)
      await store.storeSession(session)
    })
    await Promise.all(requests)
    expect((await load()).get('n')).toBe(200)
  })

  test('a change that throws leaves the session as it was', async () => {
    const { session } = await stored({ n: 1 })
    const change = (): never => {
      throw new Error('no')
    }
    expect(() => session.update('n', change)).toThrow('no')
    expect(session.get('n')).toBe(1)
    expect(session.dataChanged).toBe(false)
  })
})

describe('S6 flash', () => {
  test('can be read in the request that left it, once', () => {
    const session = new Session()
    session.flash('notice', 'Saved')
    expect(session.has('notice')).toBe(true)
    expect(session.size).toBe(0)
    expect([...session.keys()]).toEqual([])
    expect(session.get('notice')).toBe('Saved')
    expect(session.get('notice')).toBeUndefined()
    expect(session.has('notice')).toBe(false)
  })

  test('stays in requests that do not read it', async () => {
    const { store, session, load } = await stored()
    session.flash('notice', 'Saved')
    await store.storeSession(session)
    const passing = await load()
    passing.has('notice')
    passing.set('n', 1)
    await store.storeSession(passing)
    expect((await load()).get('notice')).toBe('Saved')
  })

  test('can be deleted without being read, and delete says that there was one', () => {
    const session = new Session()
    session.flash('notice', 'Saved')
    expect(session.delete('notice')).toBe(true)
    expect(session.has('notice')).toBe(false)
    expect(session.delete('notice')).toBe(false)
  })

  test('hides data under its key until it is read, and is over when the key is set or deleted', () => {
    const session = new Session()
    session.set('k', 'data')
    session.flash('k', 'flash')
    expect([session.get('k'), session.get('k')]).toEqual(['flash', 'data'])
    session.flash('k', 'flash')
    session.set('k', 'new data')
    expect(session.get('k')).toBe('new data')
    session.flash('k', 'flash')
    session.delete('k')
    expect(session.get('k')).toBeUndefined()
  })

  test('one and the same text left again by another request is a newer flash', async () => {
    const { store, load } = await stored()
    const first = await load()
    first.flash('notice', 'Saved')
    await store.storeSession(first)
    const [reader, writer] = [await load(), await load()]
    reader.get('notice')
    writer.flash('notice', 'Saved')
    await store.storeSession(writer)
    await store.storeSession(reader)
    expect((await load()).get('notice')).toBe('Saved')
  })
})

describe('S7 regenerate', () => {
  test('drops what another request wrote meanwhile under keys that are not kept', async () => {
    const { store, session, load } = await stored({ cart: 1 })
    const other = await load()
    other.set('sneaked', true)
    await store.storeSession(other)
    session.regenerate({ keep: ['cart'] })
    const next = (await store.storeSession(session)) ?? ''
    expect([...((await store.loadSession(next))?.keys() ?? [])]).toEqual(['cart'])
  })

  test('of a session that was never stored changes nothing', () => {
    const session = new Session()
    session.regenerate()
    expect(session.isNew).toBe(true)
    expect(session.dataChanged).toBe(false)
  })

  test('with keep drops the other keys, also of a session that was never stored', () => {
    const session = new Session()
    session.set('cart', 1)
    session.set('draft', 2)
    session.regenerate({ keep: ['cart'] })
    expect([...session.keys()]).toEqual(['cart'])
  })
})

describe('S8 signIn', () => {
  test.each([
    ['empty', ''],
    ['256 bytes', 'x'.repeat(256)],
    ['256 bytes in 128 characters', 'é'.repeat(128)],
    ['with NUL', 'a\0b'],
    ['not well-formed', '\ud800'],
    ['not a string', 5 as unknown as string],
  ])('refuses an owner that is %s', (_what, owner) => {
    const session = new Session()
    expect(() => session.signIn(owner)).toThrow(TypeError)
    expect(session.owner).toBeUndefined()
  })

  test('takes 255 bytes', () => {
    const session = new Session()
    session.signIn(`${'é'.repeat(127)}x`)
    expect(session.owner).toHaveLength(128)
  })

  test('starts the absolute lifetime again, at the call', async () => {
    const { session } = await stored({ n: 1 })
    clock.advance(3600)
    session.signIn('ada')
    expect(session.createdAt).toEqual(new Date())
  })
})

describe('S9 destroy', () => {
  test('leaves nothing to see', async () => {
    const { session } = await stored({ a: 1 })
    session.signIn('ada')
    session.flash('notice', 'x')
    session.destroy()
    session.destroy()
    expect(session.isDestroyed).toBe(true)
    expect(session.get('a')).toBeUndefined()
    expect(session.has('a')).toBe(false)
    expect(session.has('notice')).toBe(false)
    expect([...session.keys()]).toEqual([])
    expect(session.owner).toBeUndefined()
  })

  test('a change after it begins a new session', async () => {
    const { session } = await stored({ a: 1 })
    clock.advance(60)
    session.destroy()
    session.flash('notice', 'Signed out')
    expect(session.isDestroyed).toBe(false)
    expect(session.isNew).toBe(true)
    expect(session.id).toBeUndefined()
    expect(session.createdAt).toEqual(new Date())
    expect(session.get('notice')).toBe('Signed out')
    session.destroy()
    expect(session.isDestroyed).toBe(true)
  })

  test('a session that was never stored is still new when it has ended', () => {
    const session = new Session()
    session.destroy()
    expect([session.isNew, session.isDestroyed, session.id]).toEqual([true, true, undefined])
  })

  test('one that was stored is not new, before and after its record is gone', async () => {
    const { store, session } = await stored({ a: 1 })
    const { id } = session
    session.destroy()
    expect([session.isNew, session.id]).toEqual([false, id])
    await store.destroySession(session)
    expect([session.isNew, session.id]).toEqual([false, id])
  })

  test('a destroyed session cannot be stored', async () => {
    const { store, session } = await stored({ a: 1 })
    session.destroy()
    await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'SESSION_GONE' })
  })
})

describe('S10 expiry', () => {
  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '60' as unknown as number])(
    'expireIn(%s) throws',
    (seconds) => {
      expect(() => new Session().expireIn(seconds)).toThrow(RangeError)
    },
  )

  test('setExpiry of a past instant or an invalid date throws', () => {
    const session = new Session()
    for (const at of [new Date(Date.now() - 1), new Date(Date.now()), new Date(Number.NaN)]) {
      expect(() => session.setExpiry(at)).toThrow(RangeError)
    }
  })

  test('expireIn shows at once and does not end at absurd numbers', () => {
    const session = new Session()
    session.expireIn(60)
    expect(session.expiry).toEqual(new Date(Date.now() + 60_000))
    session.expireIn(Number.MAX_VALUE)
    expect(session.expiry?.getTime()).toBe(8.64e15)
  })

  test('an instant set with setExpiry is moved by nothing', async () => {
    const { store, session, load } = await stored()
    const at = new Date(Date.now() + 600_000)
    session.setExpiry(at)
    await store.storeSession(session)
    clock.advance(500)
    const later = await load()
    later.set('n', 1)
    await store.storeSession(later)
    expect((await load()).expiry).toEqual(at)
    clock.advance(100)
    expect(later.isExpired).toBe(true)
  })
})

describe('S11 save', () => {
  test('without a middleware says which call to make instead', async () => {
    const { session } = await stored()
    const error = await session.save().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SessionError)
    expect(error).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('storeSession'),
    })
  })
})

describe('S13 what a session shows of itself', () => {
  test('toJSON has what may be logged', async () => {
    const { session } = await stored({ secret: 'data' })
    session.signIn('ada', { keep: ['secret'] })
    expect(session.toJSON()).toEqual({
      id: session.id,
      isNew: false,
      createdAt: new Date().toISOString(),
      expiry: undefined,
      owner: 'ada',
    })
    expect(JSON.stringify(session)).not.toContain('secret')
  })
})

test('get gives readonly types', () => {
  const session = new Session<{ cart: { items: string[] } }>()
  expectTypeOf(session.get('cart')).toEqualTypeOf<
    { readonly items: readonly string[] } | undefined
  >()
})
