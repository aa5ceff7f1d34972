import { type as arktype } from 'arktype'
import * as v from 'valibot'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type Session, session } from '../../src/index.ts'
import { useClock } from '../support/clock.ts'
import { type Data, MOUNTS, methods, newStore, worldOf } from '../support/world.ts'

useClock()

/** The same four schemas in three libraries: a number, a list, a default, and an upgrade from an older shape. */
const LIBRARIES: Record<string, Record<string, object>> = {
  zod: {
    n: z.number(),
    list: z.array(z.string()),
    name: z.union([z.string(), z.object({ first: z.string() }).transform(({ first }) => first)]),
  },
  valibot: {
    n: v.number(),
    list: v.array(v.string()),
    name: v.union([
      v.string(),
      v.pipe(
        v.object({ first: v.string() }),
        v.transform(({ first }) => first),
      ),
    ]),
  },
  arktype: {
    n: arktype('number'),
    list: arktype('string[]'),
    name: arktype('string').or(arktype({ first: 'string' }).pipe(({ first }) => first)),
  },
}

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world } = worldOf(mount)

  /** Reads a session that an earlier deployment has stored, in a handler. */
  async function seen<T>(
    stored: Record<string, unknown>,
    schema: object,
    look: (session: Session<Data>) => T | Promise<T>,
    change?: (session: Session<Data>) => void,
  ): Promise<{ value: T; calls: string[]; response: Response; again: () => Promise<unknown> }> {
    const store = newStore()
    const before = world({ store })
    before.app.post('/store', (c) => {
      for (const [key, value] of Object.entries(stored)) c.var.session.set(key, value)
      return c.text('stored')
    })
    before.app.post('/change', (c) => {
      change?.(c.var.session)
      return c.text('changed')
    })
    await before.ada.visit('/store', { method: 'POST' })
    if (change) await before.ada.visit('/change', { method: 'POST' })
    const after = world({ store, schema: schema as never })
    let value: T | undefined
    after.app.get('/look', async (c) => {
      value = await look(c.var.session)
      return c.text('seen')
    })
    for (const [name, cookie] of before.ada.cookies) after.ada.cookies.set(name, cookie)
    const response = await after.ada.visit('/look')
    const raw = async (): Promise<unknown> => {
      const cookie = [...before.ada.cookies.values()][0] ?? ''
      return Object.fromEntries((await store.loadSession(cookie))?.entries() ?? [])
    }
    return { value: value as T, calls: methods(after.store), response, again: raw }
  }

  describe.each(Object.entries(LIBRARIES))('S15 M24 %s', (_library, schema) => {
    test('get gives what the schema makes of the stored value, and nothing is written', async () => {
      const stored = { n: 1, list: ['tea'], name: { first: 'Ada' }, other: 'kept' }
      const { value, response, again } = await seen(stored, schema, (session) => [
        session.get('n'),
        session.get('list'),
        session.get('name'),
        session.get('other'),
      ])
      expect(value).toEqual([1, ['tea'], 'Ada', 'kept'])
      expect(response.headers.get('Set-Cookie')).toBeNull()
      expect(await again()).toEqual(stored)
    })

    test('a value that it refuses is as if it were not there', async () => {
      const stored = { n: 'one', list: [1], name: 5, fine: true }
      const { value } = await seen(stored, schema, (session) => ({
        get: [session.get('n'), session.get('list'), session.get('name')],
        has: [session.has('n'), session.has('fine')],
        keys: [...session.keys()],
        entries: [...session.entries()],
        size: session.size,
      }))
      expect(value).toEqual({
        get: [undefined, undefined, undefined],
        has: [false, true],
        keys: ['fine'],
        entries: [['fine', true]],
        size: 1,
      })
    })

    test('update starts from what it makes of the value, and delete removes what it refuses', async () => {
      const stored = { n: 'one', name: { first: 'Ada' }, list: [1] }
      const { value, again } = await seen(stored, schema, async (session) => {
        session.update('n', (n = 0) => (n as number) + 1)
        session.update('name', (name) => `${name}!`)
        expect(session.delete('list')).toBe(true)
        await session.save()
        return [session.get('n'), session.get('name'), session.has('list')]
      })
      expect(value).toEqual([1, 'Ada!', false])
      expect(await again()).toEqual({ n: 1, name: 'Ada!' })
    })

    test('a flash is shown to it as well', async () => {
      const { value } = await seen(
        { x: 1 },
        schema,
        (session) => [session.get('n'), session.get('name'), session.has('name')],
        (session) => {
          session.flash('n', 'no number')
          session.flash('name', { first: 'Ada' })
        },
      )
      expect(value).toEqual([undefined, 'Ada', false])
    })
  })

  /** A schema of one's own, that can be watched. */
  const schemaOf = (validate: (value: unknown) => unknown): { k: never } =>
    ({ k: { '~standard': { version: 1, vendor: 'test', validate } } }) as never

  test('S15 a value is shown to its schema once in a request, one that was set here never', async () => {
    const validate = vi.fn((value: unknown) => ({ value }))
    await seen({ k: [1], other: 2 }, schemaOf(validate), (session) => {
      expect(validate).not.toHaveBeenCalled()
      session.get('other')
      expect(validate).not.toHaveBeenCalled()
      for (let i = 0; i < 3; i++) session.get('k')
      session.has('k')
      expect(validate).toHaveBeenCalledTimes(1)
      session.set('k', [2])
      expect(session.get('k')).toEqual([2])
      session.update('k', (k) => k)
      expect(validate).toHaveBeenCalledTimes(1)
    })
    expect(validate).toHaveBeenCalledTimes(1)
  })

  test('S15 what another request has stored is shown to it when a change is applied again', async () => {
    const validate = (value: unknown): object => ({ value: Number(value) })
    const store = newStore()
    const { app, ada } = world({ store, schema: schemaOf(validate) })
    app.post('/', async (c) => {
      c.var.session.update('k', (k) => Number(k ?? 0) + 1)
      return c.text('ok')
    })
    app.post('/race', async (c) => {
      c.var.session.update('k', (k) => Number(k ?? 0) + 1)
      const other = await store.loadSession([...ada.cookies.values()][0] ?? '')
      other?.set('k', '41')
      if (other) await store.storeSession(other)
      return c.text('ok')
    })
    await ada.visit('/', { method: 'POST' })
    await ada.visit('/race', { method: 'POST' })
    const after = await store.loadSession([...ada.cookies.values()][0] ?? '')
    expect(after?.get('k')).toBe(42)
  })

  test.each<[string, (value: unknown) => unknown, RegExp]>([
    ['is asynchronous', async (value) => ({ value }), /The schema of 'k' is asynchronous/],
    [
      'is asynchronous and fails',
      async () => Promise.reject(new Error('never seen')),
      /The schema of 'k' is asynchronous/,
    ],
    ['makes what is no JSON', () => ({ value: new Date() }), /key "k"/],
  ])(
    'M24 a schema that %s is a TypeError that shows no value',
    async (_what, validate, message) => {
      const { value } = await seen({ k: 'a secret' }, schemaOf(validate), (session) => {
        try {
          return session.get('k')
        } catch (error) {
          return error
        }
      })
      expect(value).toBeInstanceOf(TypeError)
      expect(String(value)).toMatch(message)
      expect(String(value)).not.toContain('a secret')
    },
  )
})

test.each([[z.object({ n: z.number() })], [{ n: {} }], [{ n: null }], [[[]]], ['n'], [null], [5]])(
  'M7 schema: %j is a TypeError when the middleware is made',
  (schema) => {
    expect(() => session({ store: newStore(), schema: schema as never })).toThrow(
      'schema must be an object with a Standard Schema for each key',
    )
  },
)
