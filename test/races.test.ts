import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { Session, type SessionEnv, type SessionEvent, session } from '../src/index.ts'
import { useClock } from './support/clock.ts'
import { FaultyMemory, type Operation } from './support/faulty-memory.ts'
import { witness, witnessSession } from './support/witness.ts'

/**
 * Two requests have loaded one session. `first` completes before `second`. What is left?
 *
 *     M  merged: the session lives on, with what both did
 *     R  rotated: the old cookie is dead, the new one has what both did
 *     G  gone: the second learns that its session has ended; what it did is dropped, what the first did stands
 *     S  signed in: the second's sign-in stands beside whatever the first has left
 *     L  late: the old cookie is dead, but the successor that the first made lives: its cookie was not the one that ended
 *     D  dead: no session is left
 */
const OUTCOMES = `
  first \\ second      write same update flash take touch regenerate sign-in destroy everywhere expire
  write               M     M    M      M     M    M     R          R       D       D          D
  same                M     M    M      M     M    M     R          R       D       D          D
  update              M     M    M      M     M    M     R          R       D       D          D
  flash               M     M    M      M     M    M     R          R       D       D          D
  take                M     M    M      M     M    M     R          R       D       D          D
  touch               M     M    M      M     M    M     R          R       D       D          D
  regenerate          G     G    G      G     G    G     G          S       L       D          D
  sign-in             G     G    G      G     G    G     G          S       L       D          D
  destroy             G     G    G      G     G    G     G          S       D       D          D
  everywhere          G     G    G      G     G    G     G          S       D       D          D
  expire              G     G    G      G     G    G     G          S       D       D          D
`

const [header = '', ...rows] = OUTCOMES.trim().split('\n')
const ACTIONS = header
  .trim()
  .split(/ {2,}| /)
  .slice(3)
  .filter(Boolean)
const TABLE = rows.map((row) => row.trim().split(/\s+/))

type Who = 'first' | 'second'
type Data = Record<string, unknown>

/** Long enough to last, short enough that half of it is a reason to extend. */
const IDLE = 600

/** The app's idle timeout. */
const DAY = 86_400

const clock = useClock()

/** The expected content of a session, from a plain list of the actions. */
interface Model {
  keys: Record<string, string>
  n: number
  notice: string | undefined
}

/** The effect of an action on the model. Those that end a session, and `touch`, have none. */
const MODEL: Record<string, (model: Model, who: Who) => void> = {
  write: (model, who) => {
    model.keys[who] = who
  },
  same: (model, who) => {
    model.keys.same = who
  },
  update: (model) => {
    model.n += 1
  },
  flash: (model, who) => {
    model.notice = who
  },
  take: (model) => {
    if (model.notice === 'old') model.notice = undefined
  },
  'sign-in': (model) => Object.assign(model, { keys: {}, n: 0, notice: undefined }),
}

/** The effect of an action on a session, before the handler is held up. */
const EARLY: Record<string, (session: Session<Data>, who: Who) => void> = {
  write: (s, who) => s.set(who, who),
  same: (s, who) => s.set('same', who),
  update: (s) => s.update('n', (n) => Number(n ?? 0) + 1),
  flash: (s, who) => s.flash('notice', who),
  take: (s) => void s.get('notice'),
  regenerate: (s) => s.regenerate(),
  'sign-in': (s) => s.signIn('ada'),
  destroy: (s) => s.destroy(),
}

class Race {
  readonly store = new FaultyMemory()
  readonly events: SessionEvent[] = []
  readonly #app = new Hono<SessionEnv<Data>>()
  readonly #gates = { first: Promise.withResolvers<void>(), second: Promise.withResolvers<void>() }
  readonly #arrived = {
    first: Promise.withResolvers<void>(),
    second: Promise.withResolvers<void>(),
  }
  value = ''

  constructor() {
    const { store, events } = this
    const onEvent = (event: SessionEvent): void => {
      witness(event)
      events.push(event)
    }
    this.#app.use(witnessSession() as never)
    this.#app.use(session<Data>({ store, onEvent }))
    this.#app.post('/:who/:action', async (c) => {
      const who = c.req.param('who') as Who
      const action = c.req.param('action')
      EARLY[action]?.(c.var.session, who)
      this.#arrived[who].resolve()
      await this.#gates[who].promise
      if (action === 'everywhere') await store.destroySessionsOf('ada')
      if (action === 'expire') clock.advance(DAY + 1) // a sign-in has the app's idle timeout, everything else IDLE
      return c.text('done')
    })
  }

  /** A session of ada's with a counter and a flash, old enough to be extended. */
  async prepare(): Promise<void> {
    const before = new Session()
    before.signIn('ada')
    before.set('n', 0)
    before.flash('notice', 'old')
    before.expireIn(IDLE)
    this.value = (await this.store.storeSession(before)) ?? ''
    clock.advance(IDLE / 2)
  }

  /** Sends a request and waits until its handler is held up. */
  async arrive(who: Who, action: string): Promise<{ response: Promise<Response> }> {
    const response = Promise.resolve(
      this.#app.request(`https://shop.example/${who}/${action}`, {
        method: 'POST',
        headers: { Cookie: `__Host-session=${this.value}` },
      }),
    )
    await this.#arrived[who].promise
    return { response }
  }

  letGo(who: Who): void {
    this.#gates[who].resolve()
  }
}

/** The value that a response gave the browser, if any. */
function given(response: Response): string | undefined {
  const line = response.headers.get('Set-Cookie') ?? ''
  return /^__Host-session=([\w-]{43});/.exec(line)?.[1]
}

/** How the second request is overtaken. */
type Order = 'arrives first' | 'arrives second' | 'has begun to store' | 'has stored half of it'

/** The step at which a request that stores can be held up. */
function firstStep(action: string): Operation | undefined {
  if (action === 'expire') return undefined
  if (action === 'everywhere') return 'recordsOf'
  if (action === 'destroy') return 'remove'
  return action === 'regenerate' || action === 'sign-in' ? 'insert' : 'replace'
}

async function run(
  first: string,
  second: string,
  order: Order,
): Promise<[Race, Response, Response] | undefined> {
  const race = new Race()
  await race.prepare()
  const underWay = order === 'has begun to store' || order === 'has stored half of it'
  const step = order === 'has stored half of it' ? 'replace' : firstStep(second)
  const rotates = firstStep(second) === 'insert'
  if (underWay && (!step || (order === 'has stored half of it' && !rotates))) return undefined
  const arrivals: [Who, string][] = [
    ['first', first],
    ['second', second],
  ]
  if (order === 'arrives first') arrivals.reverse()
  const pending: Partial<Record<Who, Promise<Response>>> = {}
  for (const [who, action] of arrivals) {
    const { response } = await race.arrive(who, action)
    pending[who] = response
  }
  const stall = underWay && step ? race.store.plan.stallNext(step) : undefined
  if (stall) {
    race.letGo('second')
    await stall.reached
  }
  race.letGo('first')
  const one = (await pending.first) ?? expect.fail()
  stall?.release()
  race.letGo('second')
  const two = (await pending.second) ?? expect.fail()
  return [race, one, two]
}

/** Where being under way makes a difference. */
function outcomeOf(first: string, second: string, tabled: string, order: Order): string {
  // The write was decided while the session lived, and carries an expiry that has passed when it is answered.
  const underWay = order === 'has begun to store' || order === 'has stored half of it'
  if (first === 'expire' && underWay) return 'D'
  // It was stored when the sign-out began, so it is one of those that end.
  if (first === 'everywhere' && second === 'sign-in' && order === 'has stored half of it')
    return 'G'
  return tabled
}

async function check(first: string, second: string, tabled: string, order: Order): Promise<void> {
  const outcome = outcomeOf(first, second, tabled, order)
  const done = await run(first, second, order)
  if (!done) return
  const [race, one, two] = done
  expect([one.status, two.status]).toEqual([200, 200])

  const model: Model = { keys: {}, n: 0, notice: 'old' }
  const doAll = (...whos: Who[]): void => {
    for (const who of whos) MODEL[who === 'first' ? first : second]?.(model, who)
  }
  const alive = async (value: string | undefined): Promise<Session | undefined> =>
    value === undefined ? undefined : race.store.loadSession(value)
  const old = await alive(race.value)
  const [mine, yours] = [given(one), given(two)]
  const successors = [mine, yours].filter((value) => value !== undefined && value !== race.value)
  const living = (await Promise.all(successors.map(alive))).filter((s) => s !== undefined)
  const gone = race.events.some(({ type }) => type === 'gone')

  let left: Session | undefined
  switch (outcome) {
    case 'M':
      left = old
      doAll('first', 'second')
      expect(old?.expiry?.getTime()).toBe(clock.now() + IDLE * 1000)
      break
    case 'R':
      expect(old).toBeUndefined()
      left = await alive(yours)
      doAll('first', 'second')
      break
    case 'G':
      expect(old).toBeUndefined()
      expect(gone).toBe(true)
      expect(two.headers.get('Set-Cookie')).toBeNull()
      left = await alive(mine)
      if (left) doAll('first')
      expect(left !== undefined).toBe(first === 'regenerate' || first === 'sign-in')
      break
    case 'S':
      expect(old).toBeUndefined()
      left = await alive(yours)
      doAll('sign-in' === second ? 'second' : 'first')
      break
    case 'L':
      expect(old).toBeUndefined()
      left = await alive(mine)
      doAll('first')
      break
    default:
      expect(old).toBeUndefined()
      expect(living).toEqual([])
      expect(
        [mine, yours].filter(
          (value) =>
            value !== undefined &&
            second !== 'destroy' &&
            second !== 'everywhere' &&
            second !== 'expire',
        ),
      ).toEqual([])
      expect(await race.store.sessionsOf('ada')).toEqual([])
      return
  }
  const session = left ?? (outcome === 'G' ? undefined : expect.fail('nothing is left'))
  if (!session) return
  const { n, ...keys } = Object.fromEntries(
    [...session.keys()].map((key) => [key, session.get(key)]),
  )
  expect({ keys, n: n ?? 0, notice: session.get('notice') }).toEqual(model)
  // Never more records than there are sessions with a cookie: nothing is left over from a rotation that lost.
  expect(await race.store.alive()).toBe((old ? 1 : 0) + living.length)
}

describe('two requests on one session', () => {
  test('the table covers every pair', () => {
    expect(ACTIONS).toHaveLength(11)
    expect(TABLE.map(([action]) => action)).toEqual(ACTIONS)
    for (const row of TABLE) expect(row).toHaveLength(12)
  })

  for (const [first = '', ...outcomes] of TABLE) {
    describe(`${first}, and then`, () => {
      for (const [column, outcome] of outcomes.entries()) {
        const second = ACTIONS[column] ?? ''
        const orders: Order[] = [
          'arrives first',
          'arrives second',
          'has begun to store',
          'has stored half of it',
        ]
        test.each(orders)(`${second} (which %s): ${outcome}`, (order) =>
          check(first, second, outcome, order),
        )
      }
    })
  }
})
