import { afterEach, describe, expect, test, vi } from 'vitest'
import { KeyedStore, Session, type SessionRecord } from '../src/index.ts'
import { FaultPlan } from '../src/testing/fault-plan.ts'
import { storeContract } from '../src/testing.ts'
import { useClock } from './support/clock.ts'

type Operation = 'read' | 'insert' | 'replace' | 'remove' | 'removeAll' | 'recordsOf'

/** The smallest backend there is, with every operation in reach of a test. It keeps what it is given, for ever. */
class TableStore extends KeyedStore {
  readonly rows = new Map<string, SessionRecord>()
  readonly plan = new FaultPlan<Operation>()

  read(id: string): Promise<SessionRecord | undefined> {
    return this.plan.run('read', async () => this.rows.get(id))
  }

  insert(id: string, record: SessionRecord): Promise<boolean> {
    return this.plan.run('insert', async () => {
      if (this.rows.has(id)) return false
      this.rows.set(id, record)
      return true
    })
  }

  replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    return this.plan.run('replace', async () => {
      if (this.rows.get(id)?.version !== version) return false
      this.rows.set(id, record)
      return true
    })
  }

  remove(id: string, version?: string): Promise<boolean> {
    return this.plan.run('remove', async () => {
      if (version !== undefined && this.rows.get(id)?.version !== version) return false
      return this.rows.delete(id)
    })
  }

  removeAll(): Promise<void> {
    return this.plan.run('removeAll', async () => this.rows.clear())
  }

  override recordsOf(owner: string): Promise<[string, SessionRecord][]> {
    return this.plan.run('recordsOf', async () =>
      [...this.rows].filter(([, record]) => record.owner === owner),
    )
  }
}

/** The same without an index of owners. */
class PlainStore extends KeyedStore {
  async read(): Promise<undefined> {}
  async insert(): Promise<boolean> {
    return true
  }
  async replace(): Promise<boolean> {
    return false
  }
  async remove(): Promise<boolean> {
    return false
  }
  async removeAll(): Promise<void> {}
}

storeContract('a store that keeps everything', () => new TableStore(), { test })

const clock = useClock()

async function issue(store: KeyedStore, data: Record<string, unknown> = { n: 1 }): Promise<string> {
  const session = new Session()
  for (const [key, value] of Object.entries(data)) session.set(key, value)
  return (await store.storeSession(session)) ?? expect.fail('no value')
}

async function load(store: KeyedStore, value: string): Promise<Session> {
  return (await store.loadSession(value)) ?? expect.fail('no session')
}

/** How many records lead to a session. */
const alive = (store: TableStore): number =>
  [...store.rows.values()].filter(({ body }) => body !== '').length

const operations = (store: TableStore): Operation[] => store.plan.calls.map(({ method }) => method)

describe('T1 a value of the wrong shape', () => {
  test('costs no I/O and no hashing', async () => {
    const store = new TableStore()
    const digest = vi.spyOn(crypto.subtle, 'digest')
    for (const value of [
      '',
      'short',
      'A'.repeat(44),
      `${'A'.repeat(42)}B`,
      5 as unknown as string,
    ]) {
      expect(await store.loadSession(value)).toBeUndefined()
    }
    expect(digest).not.toHaveBeenCalled()
    expect(operations(store)).toEqual([])
    digest.mockRestore()
  })

  test('a backend that fails is an error, with its own as cause and nothing of the session in the message', async () => {
    const store = new TableStore()
    const value = await issue(store, { secret: 'data' })
    const cause = new Error('connection refused')
    store.plan.failNext('read', cause)
    const error = await store.loadSession(value).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'SessionError', code: 'STORE_FAILED', cause })
    expect(String(error)).not.toContain(value)
  })
})

describe('T3 the backend', () => {
  test('never sees a cookie value', async () => {
    const store = new TableStore()
    const seen: unknown[] = []
    for (const operation of ['read', 'insert', 'replace', 'remove', 'recordsOf'] as const) {
      vi.spyOn(store, operation)
    }
    const first = await issue(store)
    const session = await load(store, first)
    session.signIn('ada')
    const second = (await store.storeSession(session)) ?? ''
    const signedIn = await load(store, second)
    signedIn.set('n', 2)
    await store.storeSession(signedIn)
    await store.destroySession(signedIn)
    for (const operation of ['read', 'insert', 'replace', 'remove', 'recordsOf'] as const) {
      seen.push(...vi.mocked(store[operation]).mock.calls)
    }
    expect(seen.length).toBeGreaterThan(6)
    expect(JSON.stringify(seen)).not.toContain(first)
    expect(JSON.stringify(seen)).not.toContain(second)
  })
})

describe('T5 a taken id', () => {
  test('is tried again a few times, and then the store has failed', async () => {
    const store = new TableStore()
    vi.spyOn(store, 'insert').mockResolvedValue(false)
    await expect(issue(store)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(store.rows.size).toBe(0)
  })

  test('with our own version is our own record: only the reply was lost', async () => {
    const store = new TableStore()
    vi.spyOn(store, 'insert').mockImplementationOnce(async (id, record) => {
      store.rows.set(id, record)
      return false
    })
    const value = await issue(store)
    expect(store.rows.size).toBe(1)
    expect((await load(store, value)).get('n')).toBe(1)
  })
})

/** Random bytes that come round again: after `period` calls, `getRandomValues` gives what it gave. */
function withPeriod(period: number): void {
  let calls = 0
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((bytes) => {
    if (bytes instanceof Uint8Array) bytes.fill(++calls % period)
    return bytes
  })
}

describe.each([1, 2, 3, 7])('§3 random numbers that come round after %i calls', (period) => {
  afterEach(() => vi.restoreAllMocks())

  /** The cookie values of twenty new visitors, or the codes of the errors that they get. */
  async function valuesOf(store: TableStore, data?: Record<string, unknown>): Promise<string[]> {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => issue(store, data ?? { n: 1 })),
    )
    return outcomes.map((outcome) => {
      if (outcome.status === 'fulfilled') return outcome.value
      return outcome.reason.code
    })
  }

  test('give no visitor the session of another', async () => {
    withPeriod(period)
    const values = await valuesOf(new TableStore())
    const issued = values.filter((value) => value !== 'STORE_FAILED')
    expect(new Set(issued).size).toBe(issued.length)
    expect(issued.length).toBeGreaterThan(0)
    expect(issued.length).toBeLessThanOrEqual(period)
  })

  test('give none either in an isolate that has counted as far as another one', async () => {
    withPeriod(period)
    const store = new TableStore()
    const { insert } = store
    // The very same record is there already: another isolate has drawn what this one draws.
    vi.spyOn(store, 'insert').mockImplementation(async (id, record) => {
      await insert.call(store, id, record)
      return false
    })
    expect(new Set(await valuesOf(store))).toEqual(new Set(['STORE_FAILED']))
  })

  test.each<[string, (session: Session) => void]>([
    ['regenerate', (session) => session.regenerate()],
    ['signIn', (session) => session.signIn('ada')],
    ['update', (session) => session.update('n', (n) => Number(n) + 1)],
  ])(
    'leave every session in place, or rotated, when one of them calls %s',
    async (_how, change) => {
      withPeriod(period)
      const store = new TableStore()
      const values = (await valuesOf(store)).filter((value) => value !== 'STORE_FAILED')
      const [mine = '', ...others] = values
      const session = await load(store, mine)
      change(session)
      const next = await store.storeSession(session).catch(({ code }) => {
        expect(code).toBe('STORE_FAILED')
        return mine
      })
      expect(others).not.toContain(next)
      for (const value of others) expect((await load(store, value)).get('n')).toBe(1)
      if (next === mine) expect(await store.loadSession(mine)).toBeDefined()
    },
  )

  test('lose no update', async () => {
    withPeriod(period)
    const store = new TableStore()
    const [value = ''] = await valuesOf(store)
    const sessions = await Promise.all([1, 2, 3, 4].map(() => load(store, value)))
    for (const session of sessions) session.update('n', (n) => Number(n) + 1)
    await Promise.all(sessions.map((session) => store.storeSession(session)))
    expect((await load(store, value)).get('n')).toBe(5)
  })
})

describe('T7 a write whose reply was lost', () => {
  test('is recognised by its version, and not done twice', async () => {
    const store = new TableStore()
    const value = await issue(store, { n: 0 })
    const session = await load(store, value)
    session.update('n', (n) => Number(n) + 1)
    const real = store.rows
    vi.spyOn(store, 'replace').mockImplementationOnce(async (id, record) => {
      real.set(id, record)
      return false
    })
    await store.storeSession(session)
    expect((await load(store, value)).get('n')).toBe(1)
  })

  test('a writer that always loses gives up with SESSION_CONFLICT, and keeps its changes', async () => {
    const store = new TableStore()
    const value = await issue(store)
    const session = await load(store, value)
    session.set('n', 2)
    const random = vi.spyOn(Math, 'random').mockReturnValue(0)
    const replace = vi.spyOn(store, 'replace').mockImplementation(async (id) => {
      const record = store.rows.get(id)
      if (record) store.rows.set(id, { ...record, version: crypto.randomUUID() })
      return false
    })
    await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'SESSION_CONFLICT' })
    expect(replace).toHaveBeenCalledTimes(32)
    replace.mockRestore()
    random.mockRestore()
    expect(session.dataChanged).toBe(true)
    await store.storeSession(session)
    expect((await load(store, value)).get('n')).toBe(2)
  })

  test('one session that is stored twice at once is stored once and then again', async () => {
    const store = new TableStore()
    const value = await issue(store, { n: 0 })
    const session = await load(store, value)
    const add = (): void => session.update('n', (n) => Number(n) + 1)
    add()
    const first = store.storeSession(session)
    add()
    const second = store.storeSession(session)
    add()
    await Promise.all([first, second, store.storeSession(session)])
    expect((await load(store, value)).get('n')).toBe(3)
  })

  test('a change that fails when it is run again leaves the record alone', async () => {
    const store = new TableStore()
    const value = await issue(store, { n: 0 })
    const [session, other] = [await load(store, value), await load(store, value)]
    other.set('n', 5)
    session.update('n', (n) => {
      if (n === 5) throw new Error('no')
      return 1
    })
    await store.storeSession(other)
    await expect(store.storeSession(session)).rejects.toThrow('no')
    expect((await load(store, value)).get('n')).toBe(5)
  })
})

describe('T8 a rotation', () => {
  test('writes the new record before a dead one takes the place of the old', async () => {
    const store = new TableStore()
    const value = await issue(store)
    const session = await load(store, value)
    const [id = ''] = store.rows.keys()
    store.plan.calls.length = 0
    session.regenerate()
    await store.storeSession(session)
    expect(operations(store)).toEqual(['insert', 'replace'])
    expect(store.rows.size).toBe(2)
    const inAMinute = Date.now() + 60_000
    expect(store.rows.get(id)).toMatchObject({ expiry: inAMinute, owner: null, body: '' })
    expect(await store.loadSession(value)).toBeUndefined()
  })

  test('that cannot write leaves the old one alive', async () => {
    const store = new TableStore()
    const value = await issue(store)
    const session = await load(store, value)
    session.regenerate()
    store.plan.failNext('insert')
    await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect((await load(store, value)).get('n')).toBe(1)
    const next = (await store.storeSession(session)) ?? ''
    expect(next).not.toBe(value)
    expect(alive(store)).toBe(1)
  })

  test('that cannot end the old one is an error, and leaves no second record behind', async () => {
    const store = new TableStore()
    const value = await issue(store)
    const session = await load(store, value)
    session.regenerate()
    store.plan.failNext('replace')
    await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(store.rows.size).toBe(1)
    expect((await load(store, value)).get('n')).toBe(1)
  })

  test('whose last step is done after it was given up does not end the session', async () => {
    const store = new TableStore()
    const value = await issue(store)
    const session = await load(store, value)
    session.regenerate()
    const { replace } = store
    const late: (() => Promise<boolean>)[] = []
    vi.spyOn(store, 'replace').mockImplementationOnce(async (...step) => {
      late.push(() => replace.apply(store, step))
      throw new Error('no answer in time')
    })
    await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(late).toHaveLength(1)
    for (const done of late) expect(await done()).toBe(false)
    expect((await load(store, value)).get('n')).toBe(1)
  })

  test.each(['regenerate', 'signIn'])(
    'by %s succeeds if no replace that is done is ever answered',
    async (how) => {
      const store = new TableStore()
      const session = await load(store, await issue(store))
      if (how === 'signIn') session.signIn('ada')
      else session.regenerate()
      const { replace } = store
      vi.spyOn(store, 'replace').mockImplementation(async (...step) => {
        await replace.apply(store, step)
        throw new Error('connection lost')
      })
      const next = (await store.storeSession(session)) ?? ''
      expect((await load(store, next)).owner).toBe(how === 'signIn' ? 'ada' : undefined)
      expect(alive(store)).toBe(1)
    },
  )

  test('of two at once that each find the other done: one wins, the other ends in SESSION_GONE', async () => {
    const store = new TableStore()
    const value = await issue(store)
    const sessions = [await load(store, value), await load(store, value)]
    const outcomes = await Promise.allSettled(
      sessions.map((session) => {
        session.regenerate()
        return store.storeSession(session)
      }),
    )
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes).toContainEqual(
      expect.objectContaining({ reason: expect.objectContaining({ code: 'SESSION_GONE' }) }),
    )
    expect(alive(store)).toBe(1)
  })

  test('of a session without end leaves a record that ends', async () => {
    const store = new TableStore()
    const session = await load(store, await issue(store))
    expect(session.expiry).toBeUndefined()
    session.signIn('ada')
    await store.storeSession(session)
    const expiries = [...store.rows.values()].map(({ expiry }) => expiry)
    expect(expiries.sort()).toEqual([Date.now() + 60_000, null].sort())
  })

  test('leaves nothing in the owner’s list, although an index still names the old id', async () => {
    const store = new TableStore()
    const fresh = new Session()
    fresh.signIn('ada')
    const session = await load(store, (await store.storeSession(fresh)) ?? '')
    const old = session.id ?? ''
    session.regenerate()
    await store.storeSession(session)
    vi.spyOn(store, 'recordsOf').mockImplementation(async () => [...store.rows])
    expect((await store.sessionsOf?.('ada'))?.map(({ id }) => id)).toEqual([session.id])
    expect(await store.destroySessionById?.('ada', old)).toBe(false)
    expect(await store.destroySessionsOf?.('ada')).toBe(1)
    expect(alive(store)).toBe(0)
  })

  test('of a session that was destroyed meanwhile ends in SESSION_GONE, with no record at all', async () => {
    const store = new TableStore()
    const value = await issue(store)
    const session = await load(store, value)
    await store.destroySession(await load(store, value))
    session.regenerate()
    await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'SESSION_GONE' })
    expect(store.rows.size).toBe(0)
  })

  test('of a session that has expired meanwhile ends in SESSION_GONE, a sign-in does not', async () => {
    const store = new TableStore()
    const fresh = new Session()
    fresh.expireIn(60)
    const value = (await store.storeSession(fresh)) ?? ''
    const [rotating, signing] = [await load(store, value), await load(store, value)]
    clock.advance(60)
    rotating.regenerate()
    await expect(store.storeSession(rotating)).rejects.toMatchObject({ code: 'SESSION_GONE' })
    signing.signIn('ada')
    expect(await store.storeSession(signing)).toHaveLength(43)
  })
})

describe('T9 T10 a record that cannot be believed', () => {
  const body = { v: 1, n: 'session', c: Date.parse('2026-06-01T11:00:00Z'), d: { n: 1 } }
  const record = (change: object, bodyChange: object = {}): SessionRecord =>
    ({
      version: 'v',
      expiry: null,
      owner: null,
      body: JSON.stringify({ ...body, ...bodyChange }),
      ...change,
    }) as SessionRecord

  test('a sound one is a session', async () => {
    const store = new TableStore()
    const value = await issue(store)
    const [id = ''] = store.rows.keys()
    store.rows.set(id, record({}))
    expect((await load(store, value)).get('n')).toBe(1)
  })

  test.each<[string, SessionRecord]>([
    ['no expiry', record({ expiry: undefined })],
    ['expiry as text', record({ expiry: '2099-01-01' })],
    ['expiry NaN', record({ expiry: Number.NaN })],
    ['expiry Infinity', record({ expiry: Number.POSITIVE_INFINITY })],
    ['expiry negative', record({ expiry: -1 })],
    ['expiry after the end of time', record({ expiry: 9e15 })],
    ['expiry in the past', record({ expiry: 1 })],
    ['no createdAt', record({}, { c: undefined })],
    ['createdAt as text', record({}, { c: '2026' })],
    ['createdAt negative', record({}, { c: -1 })],
    ['createdAt in the far future', record({}, { c: Date.parse('2027-01-01') })],
    ['idle of no sense', record({}, { i: -5 })],
    ['idle as text', record({}, { i: '60' })],
    ['fixed of no sense', record({}, { x: 'never' })],
    ['another format version', record({}, { v: 2 })],
    ['no format version', record({}, { v: undefined })],
    ['a name of another type', record({}, { n: 5 })],
    ['data of another type', record({}, { d: [1] })],
    ['no data', record({}, { d: undefined })],
    ['flash of another type', record({}, { f: 'x' })],
    ['a flash without token', record({}, { f: { k: { value: 1 } } })],
    ['a flash that is null', record({}, { f: { k: null } })],
    ['a flash that is text', record({}, { f: { k: 'x' } })],
    ['an owner of another type', record({ owner: 5 })],
    ['a device of another type', record({}, { t: 5 })],
    ['persistent of another type', record({}, { p: 'yes' })],
    ['usedAt of another type', record({}, { u: 'now' })],
    ['no body', record({ body: undefined })],
    ['an empty body', record({ body: '' })],
    ['a truncated body', record({ body: JSON.stringify(body).slice(0, -4) })],
    ['a body that is no object', record({ body: '"text"' })],
    ['a body that is null', record({ body: 'null' })],
    ['a body that is no JSON', record({ body: '<html>' })],
  ])('%s: no session, no crash', async (_what, bad) => {
    const store = new TableStore()
    const value = await issue(store)
    const loaded = await load(store, value)
    const [id = ''] = store.rows.keys()
    store.rows.set(id, bad)
    expect(await store.loadSession(value)).toBeUndefined()
    loaded.set('n', 2)
    await expect(store.storeSession(loaded)).rejects.toMatchObject({ code: 'SESSION_GONE' })
    expect(store.rows.get(id)).toBe(bad)
  })

  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
  const nestedObjects = (levels: number): string =>
    `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  const withData = (json: string): string =>
    JSON.stringify({ ...body, d: 0 }).replace('"d":0', `"d":${json}`)
  const withFlash = (json: string): string =>
    withData(`{},"f":{"notice":{"token":"t","value":${json}}}`)

  test.each<[string, string]>([
    ['__proto__ at the top', withData('{"__proto__":{"polluted":1}}')],
    ['constructor at the top', withData('{"constructor":1}')],
    ['prototype far down', withData('{"a":[{"b":{"prototype":1}}]}')],
    ['__proto__ spelled with escapes', withData('{"a":{"\\u005f_proto_\\u005F":1}}')],
    ['constructor spelled with escapes', withData('{"c\\u006fnstructor":1}')],
    ['__proto__ beside the data', withData('{},"__proto__":{"polluted":1}')],
    ['__proto__ in a flash', withFlash('{"__proto__":1}')],
    ['__proto__ as the key of a flash', withFlash('1').replace('"notice"', '"__proto__"')],
    ['__proto__ beside a flash', withFlash('1,"__proto__":1')],
    ['arrays one level too deep', withData(`{"k":${nested(201)}}`)],
    ['objects one level too deep', withData(`{"k":${nestedObjects(201)}}`)],
    ['levels without end', withData(`{"k":${nested(100_000)}}`)],
    ['objects without end', withData(`{"k":${nestedObjects(100_000)}}`)],
    ['a flash one level too deep', withFlash(nested(201))],
  ])('what set would have refused is no session: %s', async (_what, text) => {
    const store = new TableStore()
    const value = await issue(store)
    const [id = ''] = store.rows.keys()
    store.rows.set(id, record({ body: text }))
    expect(await store.loadSession(value)).toBeUndefined()
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test.each<[string, string, unknown]>([
    ['as many levels as set takes', withData(`{"k":${nested(200)}}`), JSON.parse(nested(200))],
    [
      'as many in a flash',
      withFlash(nested(200)).replace('"notice"', '"k"'),
      JSON.parse(nested(200)),
    ],
    [
      'such names as values',
      withData('{"k":["__proto__","constructor"]}'),
      ['__proto__', 'constructor'],
    ],
    ['names that begin alike', withData('{"k":{"prototypes":1}}'), { prototypes: 1 }],
    ['many brackets in a text', withData(`{"k":"${'['.repeat(500)}"}`), '['.repeat(500)],
    ['escapes', withData('{"k":"\\u0000\\ud800"}'), '\0\ud800'],
  ])('what set takes is one: %s', async (_what, text, wanted) => {
    const store = new TableStore()
    const value = await issue(store)
    const [id = ''] = store.rows.keys()
    store.rows.set(id, record({ body: text }))
    expect(JSON.stringify((await load(store, value)).get('k'))).toBe(JSON.stringify(wanted))
  })
})

describe('T12 maxSessionBytes', () => {
  test.each([0, -1, 1.5, Number.NaN, '5'])('of %s throws', (maxSessionBytes) => {
    expect(() => new TableStore({ maxSessionBytes: maxSessionBytes as number })).toThrow(TypeError)
  })

  test('is exact to the byte, in UTF-8', async () => {
    const store = new TableStore()
    await issue(store, { text: 'é' })
    const [{ body = '' } = {}] = store.rows.values()
    const bytes = new TextEncoder().encode(body).length
    expect(bytes).toBe(body.length + 1)
    await issue(new TableStore({ maxSessionBytes: bytes }), { text: 'é' })
    const small = new TableStore({ maxSessionBytes: bytes - 1 })
    await expect(issue(small, { text: 'é' })).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' })
    expect(small.rows.size).toBe(0)
  })
})

describe('O1 owners', () => {
  test('a listing that never gets empty is an error, not an endless loop', async () => {
    const store = new TableStore()
    const session = new Session()
    session.signIn('ada')
    await store.storeSession(session)
    vi.spyOn(store, 'remove').mockResolvedValue(false)
    await expect(store.destroySessionsOf?.('ada')).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  test.each([0, 1])(
    'somebody who goes on signing in does not keep it from ending, %i ms between',
    async (milliseconds) => {
      const store = new TableStore()
      const signIn = async (): Promise<string> => {
        const session = new Session()
        session.signIn('ada')
        return (await store.storeSession(session)) ?? ''
      }
      const first = await signIn()
      const { remove } = store
      let now = Date.now()
      vi.spyOn(store, 'remove').mockImplementation(async (...step) => {
        now += milliseconds
        vi.setSystemTime(now)
        await signIn()
        return remove.apply(store, step)
      })
      expect(await store.destroySessionsOf?.('ada')).toBeGreaterThan(0)
      expect(await store.loadSession(first)).toBeUndefined()
      expect(await store.sessionsOf?.('ada')).toHaveLength(1)
    },
  )

  test('a rotation that was written after the first listing is found by the next', async () => {
    const store = new TableStore()
    const session = new Session()
    session.signIn('ada')
    const value = (await store.storeSession(session)) ?? ''
    const rotating = await load(store, value)
    rotating.regenerate()
    const listing = store.plan.stallNextAfter('recordsOf')
    const ending = store.destroySessionsOf?.('ada')
    await listing.reached
    const next = (await store.storeSession(rotating)) ?? ''
    listing.release()
    await ending
    expect(await store.loadSession(next)).toBeUndefined()
    expect(store.rows.size).toBe(0)
  })

  test('a removal by id that is done twice says that it ended the session', async () => {
    const store = new TableStore()
    const session = new Session()
    session.signIn('ada')
    await store.storeSession(session)
    const { remove } = store
    vi.spyOn(store, 'remove').mockImplementation(async (...step) => {
      await remove.apply(store, step)
      return remove.apply(store, step)
    })
    expect(await store.destroySessionById?.('ada', session.id ?? '')).toBe(true)
    expect(await store.destroySessionById?.('ada', session.id ?? '')).toBe(false)
  })

  test('a removal by id does not say that it ended a session that had expired', async () => {
    const store = new TableStore()
    const session = new Session()
    session.signIn('ada')
    session.expireIn(60)
    await store.storeSession(session)
    clock.advance(60)
    expect(await store.destroySessionById?.('ada', session.id ?? '')).toBe(false)
  })

  test('a removal by id that meets a rotation does not say that it ended the session', async () => {
    const store = new TableStore()
    const session = new Session()
    session.signIn('ada')
    await store.storeSession(session)
    const old = session.id ?? ''
    const removing = store.plan.stallNext('remove')
    const ending = store.destroySessionById?.('ada', old)
    await removing.reached
    session.regenerate()
    await store.storeSession(session)
    removing.release()
    expect(await ending).toBe(false)
    expect(await store.sessionsOf?.('ada')).toHaveLength(1)
  })

  test('O2 a store that cannot find by owner has none of the three methods', () => {
    const store = new PlainStore()
    for (const method of ['sessionsOf', 'destroySessionsOf', 'destroySessionById']) {
      expect(method in store).toBe(false)
      expect(method in new TableStore()).toBe(true)
    }
  })
})

test('a retry does not wait for a faked timer', async () => {
  const store = new TableStore()
  const value = await issue(store)
  const [a, b] = [await load(store, value), await load(store, value)]
  vi.useFakeTimers({ now: Date.now() })
  a.set('a', 1)
  b.set('b', 1)
  await Promise.all([store.storeSession(a), store.storeSession(b)])
  vi.useRealTimers()
  expect((await load(store, value)).size).toBe(3)
})
