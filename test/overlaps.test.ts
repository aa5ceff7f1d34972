import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import {
  CookieStore,
  Session,
  type SessionEnv,
  type SessionEvent,
  type SessionStore,
  session,
} from '../src/index.ts'
import { FaultPlan } from '../src/testing/fault-plan.ts'
import { FaultyStore } from '../src/testing.ts'
import { useClock } from './support/clock.ts'
import { FaultyMemory, type Operation } from './support/faulty-memory.ts'
import { makeSecret } from './support/secret.ts'
import { witness, witnessSession } from './support/witness.ts'

/**
 * Two calls on one session inside one request. The first is being stored (`save()`, not awaited yet) when the second is made,
 * before and after each of the first one's calls to the store. What is left when the request is over?
 *
 * First what lives:
 *
 *     B  both: the session, with what both did
 *     S  the second's sign-in: what was there before it is dropped
 *     N  a new anonymous session with what the second did
 *     0  nothing
 *
 * then what the browser is told: `=` the value it has, for another time; `+` a new value; `x` to forget the cookie; `.` nothing;
 * and then which events there are: `c`reated, `r`egenerated, `d`estroyed.
 *
 * It is the same for every step, but where `/` separates two outcomes: before the session that replaces another is being
 * inserted, and from then on.
 */
const OUTCOMES = `
  first    | second   save     change   set      flash    signIn   regenerate destroy destroy+ expireIn end

  new:
  set                 B+c      B+c      B+c      B+c      S+cr     B+cr       0.cd    N+cdc    B+c      B+c
  flash               B+c      B+c      B+c      B+c      S+cr     B+cr       0.cd    N+cdc    B+c      B+c
  change              B+c      B+c      B+c      B+c      S+cr     B+cr       0.cd    N+cdc    B+c      B+c
  expireIn            B+c      B+c      B+c      B+c      S+cr     B+cr       0.cd    N+cdc    B+c      B+c
  signIn              B+c      B+c      B+c      B+c      S+cr     B+cr       0.cd    N+cdc    B+c      B+c
  destroy+            B+c      B+c      B+c      B+c      S+cr     B+cr       0.cd    N+cdc    B+c      B+c

  stored:
  save                B.       B.       B.       B.       S+r      B+r        0xd     N+dc     B=       B.
  set                 B.       B.       B.       B.       S+r      B+r        0xd     N+dc     B=       B.
  flash               B.       B.       B.       B.       S+r      B+r        0xd     N+dc     B=       B.
  change              B.       B.       B.       B.       S+r      B+r        0xd     N+dc     B=       B.
  expireIn            B=       B=       B=       B=       S+r      B+r        0xd     N+dc     B=       B=
  signIn              B+r      B+r      B+r      B+r      S+rr     B+rr       0xrd    N+rdc    B+r      B+r
  regenerate          B+r      B+r      B+r      B+r      S+rr     B+rr       0xrd    N+rdc    B+r      B+r
  destroy             0xd      N+dc     N+dc     N+dc     S+dc     0xd        0xd     N+dc     N+dc     0xd
  destroy+            B+dc     B+dc     B+dc     B+dc     S+dc/r   B+dc/r     0xd/cd  N+dc/dc  B+dc     B+dc
`

type Data = Record<string, unknown>
type Who = 'first' | 'second'
type Kind = 'new' | 'stored'

const [header = '', ...lines] = OUTCOMES.trim().split('\n')
const SECONDS = header.split(/\s+/).slice(3)
const TABLE = lines.reduce<[Kind, string, string[]][]>((rows, line) => {
  const [first = '', ...cells] = line.trim().split(/\s+/)
  if (cells.length > 0) rows.push([kindOf(rows, line), first, cells])
  return rows
}, [])

function kindOf(_rows: unknown, line: string): Kind {
  return OUTCOMES.indexOf(line) < OUTCOMES.indexOf('stored:') ? 'new' : 'stored'
}

useClock()

/** The calls. A promise is awaited when the store goes on. */
const CALLS: Record<string, (s: Session<Data>, who: Who) => Promise<void> | void> = {
  save: (s) => s.save(),
  change: (s, who) => s.save((it) => it.set(`${who} change`, 1)),
  set: (s, who) => s.set(`${who} set`, 1),
  flash: (s, who) => s.flash(`${who} flash`, 1),
  signIn: (s, who) => s.signIn(who),
  regenerate: (s) => s.regenerate(),
  destroy: (s) => s.destroy(),
  'destroy+': (s, who) => {
    s.destroy()
    s.set(`${who} after`, 1)
  },
  expireIn: (s, who) => s.expireIn(SECONDS_OF[who]),
  end: () => {},
}

const SECONDS_OF = { first: 1111, second: 2222 }

interface Model {
  lives: boolean
  owner: string | undefined
  keys: string[]
  idle: number
}

const nobody = (lives: boolean): Model => ({ lives, owner: undefined, keys: [], idle: 86_400 })

/** The same on a plain model, one call after the other. */
function applyTo(model: Model, call: string, who: Who): Model {
  const key = { change: `${who} change`, set: `${who} set`, flash: `${who} flash` }[call]
  if (key !== undefined) return { ...model, lives: true, keys: [...model.keys, key].sort() }
  if (call === 'signIn') return { ...nobody(true), owner: who }
  if (call === 'destroy') return nobody(false)
  if (call === 'destroy+') return { ...nobody(true), keys: [`${who} after`] }
  if (call === 'expireIn') return { ...model, lives: true, idle: SECONDS_OF[who] }
  return model
}

/** Holds up one call to the store, before it does anything or after it did. */
class Hold extends FaultPlan<Operation> {
  step = Number.POSITIVE_INFINITY
  isAfter = false
  readonly reached = Promise.withResolvers<void>()
  readonly released = Promise.withResolvers<void>()
  readonly operations: Operation[] = []

  override async run<T>(operation: Operation, call: () => Promise<T>): Promise<T> {
    this.operations.push(operation)
    const isHeld = this.step-- === 0
    if (isHeld && !this.isAfter) await this.#wait()
    const result = await call()
    if (isHeld && this.isAfter) await this.#wait()
    return result
  }

  #wait(): Promise<void> {
    this.reached.resolve()
    return this.released.promise
  }
}

/** A CookieStore's step is its seal, which takes on what is to be written before it waits. */
class HeldCookieStore extends CookieStore {
  readonly hold: Hold

  constructor(hold: Hold) {
    super({ secrets: makeSecret() })
    this.hold = hold
  }

  override storeSession(it: Session): Promise<string> {
    const { encrypt } = crypto.subtle
    const storing = super.storeSession(it)
    crypto.subtle.encrypt = (...args: Parameters<typeof encrypt>): ReturnType<typeof encrypt> =>
      this.hold.run('insert', () => encrypt.apply(crypto.subtle, args))
    return storing.finally(() => {
      crypto.subtle.encrypt = encrypt
    })
  }

  override destroySession(it: Session): Promise<void> {
    return this.hold.run('remove', () => super.destroySession(it))
  }
}

interface Result {
  response: Response
  events: string
  /** The last value that the handler saw. */
  seen: Model
  store: SessionStore
  sent: string | undefined
  came: string | undefined
  operations: readonly Operation[]
}

const idleOf = (it: Session<Data>): number =>
  it.expiry === undefined ? 86_400 : Math.round((it.expiry.getTime() - Date.now()) / 1000)

function look(it: Session<Data>): Model {
  const flashes = ['first flash', 'second flash'].filter((key) => it.has(key))
  const keys = [...it.keys(), ...flashes].sort()
  const { owner } = it
  return { lives: !it.isDestroyed, owner, keys, idle: it.isDestroyed ? 86_400 : idleOf(it) }
}

/** One request: the first call, then the second while the store is held up at `step`. */
async function run(
  make: (hold: Hold) => SessionStore,
  kind: Kind,
  first: string,
  second: string,
  step: number,
  isAfter: boolean,
): Promise<Result> {
  const hold = new Hold()
  const store = make(hold)
  const events: SessionEvent[] = []
  let came: string | undefined
  if (kind === 'stored') {
    const before = new Session()
    before.signIn('ada')
    before.set('base', 1)
    before.expireIn(86_400)
    came = (await store.storeSession(before)) ?? expect.fail()
  }
  let seen = nobody(true)
  const app = new Hono<SessionEnv<Data>>()
  app.use(witnessSession() as never)
  app.use(
    session<Data>({
      store,
      touchAfter: 80_000,
      onEvent: (event) => {
        witness(event)
        events.push(event)
      },
    }),
  )
  app.post('/', async (c) => {
    const s = c.var.session
    hold.operations.length = 0
    hold.step = step
    hold.isAfter = isAfter
    const begun = CALLS[first]?.(s, 'first') ?? s.save()
    await Promise.race([hold.reached.promise, begun])
    const more = CALLS[second]?.(s, 'second')
    if (second === 'end') {
      // The middleware has begun to settle when the store goes on.
      setTimeout(() => hold.released.resolve())
      return c.text('ended')
    }
    hold.released.resolve()
    await Promise.all([begun, more])
    seen = look(s)
    return c.text('done')
  })
  app.onError((error, c) => c.text(String(error), 500))
  const headers: HeadersInit = came === undefined ? {} : { Cookie: `__Host-session=${came}` }
  const response = await app.request('https://shop.example/', { method: 'POST', headers })
  const line = response.headers.get('Set-Cookie')
  const sent = line === null ? undefined : /^__Host-session=([^;]*);/.exec(line)?.[1]
  const letters = events.map(({ type }) => type.slice(0, 1)).join('')
  return { response, events: letters, seen, store, sent, came, operations: hold.operations }
}

/** Until the session that replaces another is being inserted. */
function isEarly(first: string, operations: readonly Operation[], step: number): boolean {
  const insert = operations.indexOf('insert')
  return first === 'destroy+' && step < insert
}

function outcomeAt(
  cell: string,
  isBeforeInsert: boolean,
): [left: string, told: string, events: string] {
  const [early = '', more = ''] = cell.split('/')
  const all = isBeforeInsert ? early : early + more
  return [all.slice(0, 1), all.slice(1, 2), all.slice(2)]
}

async function check(
  make: (hold: Hold) => SessionStore,
  [kind, first, cell]: [Kind, string, string],
  second: string,
): Promise<void> {
  const inCookie = make(new Hold()) instanceof CookieStore
  const { operations } = await run(make, kind, first, 'save', Number.POSITIVE_INFINITY, false)
  // A session in its cookie is asked for nowhere, so a save() with nothing to store has no step.
  const steps = Math.max(operations.length, inCookie ? 1 : 0)
  expect(steps).toBeGreaterThan(0)
  for (let step = 0; step < steps; step++) {
    for (const isAfter of [false, true]) {
      const where = `${isAfter ? 'after' : 'before'} step ${step} (${operations[step]})`
      const result = await run(make, kind, first, second, step, isAfter)
      const [left, told, events] = outcomeAt(cell, isEarly(first, operations, step))
      const before: Model =
        kind === 'stored' ? { ...nobody(true), owner: 'ada', keys: ['base'] } : nobody(true)
      const after = applyTo(applyTo(before, first, 'first'), second, 'second')
      expect(result.response.status, where).toBe(200)

      // The handler's view.
      if (second !== 'end') expect(result.seen, where).toEqual(after)
      expect(after.lives ? 'BSN' : '0', where).toContain(left)

      // The browser's cookie.
      const { sent, came } = result
      if (told === 'x') expect(sent, where).toBe('')
      else if (told === '+') expect(sent?.length, where).toBeGreaterThan(42)
      else if (
        told === '=' ||
        (told === '.' && inCookie && left !== '0' && result.events === events && sent)
      )
        expect(inCookie ? sent?.slice(0, 2) : sent, where).toBe(inCookie ? came?.slice(0, 2) : came)
      else expect(sent, where).toBeUndefined()
      if (told === '+') expect(sent).not.toBe(came)

      // The record under the cookie that the browser has now.
      const value = sent === undefined ? came : sent
      const loaded = value ? await result.store.loadSession(value) : undefined
      expect(loaded && look(loaded as Session<Data>), where).toEqual(
        after.lives ? after : undefined,
      )
      expect(result.events, where).toBe(events)

      // No session is left that nobody has a cookie of.
      if (result.store instanceof FaultyMemory) {
        expect(await result.store.count(), where).toBe(after.lives ? 1 : 0)
        for (const owner of ['ada', 'first', 'second']) {
          const listed = await result.store.sessionsOf(owner)
          expect(listed.length, where).toBe(after.owner === owner ? 1 : 0)
        }
      }
    }
  }
}

const STORES: Record<string, (hold: Hold) => SessionStore> = {
  'MemoryStore, with owners': (hold) => new FaultyMemory(hold),
  'a store that has no owners': (hold) => {
    const store = new FaultyStore(new FaultyMemory(hold))
    Object.assign(store, { sessionsOf: undefined, destroySessionsOf: undefined })
    return store
  },
  CookieStore: (hold) => new HeldCookieStore(hold),
}

describe('S7 S8 S9 S11 two calls inside one request', () => {
  test('the table covers every pair', () => {
    expect(SECONDS).toEqual(Object.keys(CALLS))
    for (const [, , cells] of TABLE) expect(cells).toHaveLength(SECONDS.length)
    expect(TABLE.filter(([kind]) => kind === 'new')).toHaveLength(6)
    expect(TABLE.filter(([kind]) => kind === 'stored')).toHaveLength(9)
  })

  for (const [name, make] of Object.entries(STORES)) {
    describe(name, () => {
      for (const [kind, first, cells] of TABLE) {
        for (const [column, second] of SECONDS.entries()) {
          const cell = cells[column] ?? ''
          test(`a ${kind} session: ${first}, and while it is stored ${second}: ${cell}`, () =>
            check(make, [kind, first, cell], second))
        }
      }
    })
  }
})

describe('S7 S8 S11 a store that does something else before it stores', () => {
  /** As one that encrypts, or logs, and waits for it. */
  class LateStore extends FaultyMemory {
    override async storeSession(it: Session): Promise<string | undefined> {
      return this.plan.run('insert', () => super.storeSession(it))
    }
  }

  // The store begins after the second call, so there is one outcome for each.
  const CASES: [kind: Kind, second: string, told: string, events: string][] = [
    ['new', 'set', '+', 'c'],
    ['new', 'signIn', '+', 'c'],
    ['new', 'destroy', '.', ''],
    ['new', 'destroy+', '+', 'c'],
    ['stored', 'set', '.', ''],
    ['stored', 'signIn', '+', 'r'],
    ['stored', 'destroy', 'x', 'd'],
  ]

  test.each(CASES)(
    'a %s session: set, and before it is stored %s',
    async (kind, second, ...cell) => {
      const [told, events] = cell
      const result = await run((hold) => new LateStore(hold), kind, 'set', second, 0, false)
      expect(result.response.status).toBe(200)
      expect(result.events).toBe(events)
      if (told === 'x') expect(result.sent).toBe('')
      if (told === '.') expect(result.sent).toBeUndefined()
      if (told === '+') expect(result.sent?.length).toBeGreaterThan(42)
      const loaded = await result.store.loadSession(result.sent ?? result.came ?? '')
      const { keys } = result.seen
      expect([...(loaded?.keys() ?? [])].sort()).toEqual(told === 'x' ? [] : keys)
    },
  )
})
