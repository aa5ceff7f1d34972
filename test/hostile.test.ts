import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SessionCookie } from '../src/http/cookie.ts'
import { MemoryStore, Session } from '../src/index.ts'
import { decodeRecord } from '../src/session/session-record.ts'
import { fuzzCookies } from './support/hostile-cookies.ts'

const URL_HERE = 'https://shop.example/'

describe('M9 hostile cookie headers', () => {
  test('do not throw, make no session and cost no store call', () => fuzzCookies(20_000), 60_000)

  test.each<[string, (n: number) => string]>([
    ['many cookies', (n) => 'a=b; '.repeat(n)],
    ['many of ours', (n) => `__Host-session=${'A'.repeat(43)}; `.repeat(n)],
    ['many look-alikes', (n) => `__Host-sessio=${'A'.repeat(43)}; `.repeat(n)],
    ['nothing but separators', (n) => ';'.repeat(n * 5)],
    ['nothing but blanks', (n) => ' '.repeat(n * 5)],
    ['blanks in a value', (n) => `__Host-session=A${' '.repeat(n * 5)}B`],
    ['one endless value', (n) => `__Host-session=${'A'.repeat(n * 5)}`],
    ['names without values', (n) => '__Host-session;'.repeat(n)],
  ])('are read in linear time: %s', (_what, make) => {
    const cookie = new SessionCookie('session')
    const time = (header: string): number => {
      const start = performance.now()
      for (let i = 0; i < 20; i++) cookie.read(header, URL_HERE)
      return performance.now() - start
    }
    const [small, large] = [make(4_000), make(64_000)]
    time(small)
    // Sixteen times the length; quadratic would be 256 times the time.
    expect(time(large)).toBeLessThan(Math.max(time(small), 2) * 80)
  })
})

describe('S3 hostile data', () => {
  const seed = Date.now() & 0x7fffffff

  test('whatever JSON can say comes back exactly', async () => {
    console.log(`JSON values: seed ${seed}`)
    const store = new MemoryStore({
      name: 'hostile-data',
      warn: false,
      maxSessionBytes: 10_000_000,
    })
    const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 6 })
    const roundTrip = fc.asyncProperty(fc.string({ unit: 'binary' }), json, async (key, value) => {
      const session = new Session()
      try {
        session.set(key, value)
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
        expect(JSON.stringify([key, value])).toMatch(/__proto__|constructor|prototype/)
        return
      }
      const normal = JSON.parse(JSON.stringify(value))
      expect(session.get(key)).toEqual(normal)
      const loaded = await store.loadSession((await store.storeSession(session)) ?? '')
      expect(JSON.stringify(loaded?.get(key))).toBe(JSON.stringify(value))
    })
    await fc.assert(roundTrip, { numRuns: 2000, seed })
  })

  test('whatever JavaScript can say is refused with a TypeError, or comes back exactly', () => {
    console.log(`any values: seed ${seed}`)
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      withObjectString: true,
    })
    fc.assert(
      fc.property(anything, (value) => {
        const session = new Session()
        try {
          session.set('key', value)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
          expect(session.size).toBe(0)
          return
        }
        expect(JSON.stringify(session.get('key'))).toBe(JSON.stringify(value))
      }),
      { numRuns: 5000, seed },
    )
  })

  test('keys that reach a prototype are refused wherever they are', () => {
    const key = fc.constantFrom('__proto__', 'constructor', 'prototype')
    const path = fc.array(fc.oneof(fc.constant(0), fc.constantFrom('a', 'b')), { maxLength: 8 })
    fc.assert(
      fc.property(key, path, (name, steps) => {
        let value: unknown = JSON.parse(`{"${name}":{"polluted":true}}`)
        for (const step of steps) value = typeof step === 'number' ? [value] : { [step]: value }
        expect(() => new Session().set('key', value)).toThrow(TypeError)
        expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
      }),
      { seed },
    )
  })

  test('T10 what set takes is loaded again, and a record of what it refuses is no session', () => {
    console.log(`records: seed ${seed}`)
    const name = fc.oneof(
      { weight: 8, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
      fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString'),
    )
    const { value } = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 0 }).map((leaf) => JSON.stringify(leaf)),
        fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join()}]`),
        fc
          .array(fc.tuple(name, tie('value')), { maxLength: 3 })
          .map(
            (pairs) => `{${pairs.map(([key, item]) => `${JSON.stringify(key)}:${item}`).join()}}`,
          ),
      ),
    }))
    const levels = fc.oneof(fc.constant(0), fc.integer({ min: 190, max: 203 }))
    fc.assert(
      fc.property(name, value, levels, fc.boolean(), (key, inner, depth, isFlash) => {
        const text = '['.repeat(depth) + inner + ']'.repeat(depth)
        const session = new Session()
        let isTaken = true
        try {
          if (isFlash) session.flash(key, JSON.parse(text))
          else session.set(key, JSON.parse(text))
        } catch {
          isTaken = false
        }
        const entry = `{${JSON.stringify(key)}:${isFlash ? `{"token":"t","value":${text}}` : text}}`
        const parts = isFlash ? `"d":{},"f":${entry}` : `"d":${entry}`
        const body = `{"v":1,"n":"session","c":1,${parts}}`
        const content = decodeRecord({ version: '', expiry: null, owner: null, body }, 2)
        expect(content !== undefined).toBe(isTaken)
        const loaded = isFlash ? content?.flash[key]?.value : content?.data[key]
        if (isTaken) expect(JSON.stringify(loaded)).toBe(JSON.stringify(session.get(key)))
      }),
      { numRuns: 5000, seed },
    )
  })

  test('a million keys and ten million characters are refused by the store, not by a crash', async () => {
    const store = new MemoryStore({ name: 'hostile-size', warn: false })
    const many = Object.fromEntries(Array.from({ length: 1_000_000 }, (_, i) => [`k${i}`, i]))
    for (const huge of [many, 'x'.repeat(10_000_000), Array.from({ length: 1_000_000 }, () => 0)]) {
      const session = new Session()
      session.set('huge', huge)
      await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' })
    }
    expect(await store.count()).toBe(0)
  })
})
