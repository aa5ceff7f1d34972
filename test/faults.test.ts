import { Hono } from 'hono'
import { describe, expect, test, vi } from 'vitest'
import { Session, type SessionEnv, SessionError, session } from '../src/index.ts'
import { FaultPlan } from '../src/testing/fault-plan.ts'
import { useClock } from './support/clock.ts'
import { FaultyMemory, type Operation } from './support/faulty-memory.ts'
import { Visitor } from './support/visitor.ts'
import { witness, witnessSession } from './support/witness.ts'

const clock = useClock()

type Data = Record<string, unknown>

/** The ways to spoil a step. A call that is sent again because its reply was lost is one that is done twice. */
const MODES = ['fails', 'takes effect, but its reply is lost', 'is done twice'] as const
type Mode = (typeof MODES)[number]

/** Counts the steps to the backend, and spoils one of them. */
class Saboteur extends FaultPlan<Operation> {
  step: number | 'every' = Number.POSITIVE_INFINITY
  mode: Mode = 'fails'
  stalled: { reached: () => void; go: Promise<void> } | undefined
  #count = 0

  arm(step: number | 'every', mode: Mode = 'fails'): void {
    this.#count = 0
    this.step = step
    this.mode = mode
  }

  override async run<T>(method: Operation, call: () => Promise<T>): Promise<T> {
    this.calls.push({ method })
    const isArmed = this.step === 'every' || this.step === this.#count++
    if (!isArmed) return call()
    if (this.stalled) {
      this.stalled.reached()
      await this.stalled.go
      return call()
    }
    if (this.mode !== 'fails') await call()
    if (this.mode === 'is done twice') return call()
    throw new Error('the backend is down')
  }
}

/** Every kind of request there is. */
const KINDS: Record<string, (s: Session<Data>, store: FaultyMemory) => unknown> = {
  look: (s) => s.get('n'),
  touch: () => {},
  write: (s) => s.set('written', true),
  update: (s) => s.update('n', (n) => Number(n ?? 0) + 1),
  flash: (s) => s.flash('notice', 'Hi'),
  'take a flash': (s) => s.get('old notice'),
  'move the expiry': (s) => s.expireIn(1234),
  regenerate: (s) => s.regenerate(),
  'sign in': (s) => s.signIn('bob', { keep: ['n'] }),
  destroy: (s) => s.destroy(),
  'destroy and begin': (s) => {
    s.destroy()
    s.set('begun', true)
  },
  save: (s) => s.save((it) => it.set('saved', true)),
  'save and write': async (s) => {
    await s.save((it) => it.set('saved', true))
    s.set('later', true)
  },
  'save a rotation': (s) => s.save((it) => it.regenerate()),
  'save a rotation and write': async (s) => {
    await s.save((it) => it.regenerate())
    s.set('later', true)
  },
  'sign out everywhere': async (s, store) => {
    await store.destroySessionsOf('ada', { except: s })
    s.set('alone', true)
  },
}

/** The possible outcomes of kinds that store in two steps. */
const HALFWAY: Record<string, string> = {
  'save and write': 'save',
  'save a rotation and write': 'save a rotation',
  'destroy and begin': 'destroy',
}

/** Those that end the session: if the reply is lost, the visitor may be left without one. */
const ENDS = /destroy/

interface World {
  saboteur: Saboteur
  store: FaultyMemory
  ada: Visitor
  send: (kind: string) => Promise<Response>
}

async function world(withSession: boolean): Promise<World> {
  vi.setSystemTime('2026-06-01T12:00:00Z')
  const saboteur = new Saboteur()
  const store = new FaultyMemory(saboteur)
  const app = new Hono<SessionEnv<Data>>()
  app.use(witnessSession() as never)
  app.use(session<Data>({ store, onEvent: (event) => witness(event) }))
  app.post('/:kind', async (c) => {
    await KINDS[c.req.param('kind')]?.(c.var.session, store)
    return c.text('done')
  })
  app.onError((error, c) => {
    witness(error)
    return c.text(error instanceof SessionError ? error.code : String(error), 500)
  })
  const ada = new Visitor(app as never)
  const send = (kind: string): Promise<Response> =>
    ada.visit(`/${encodeURIComponent(kind)}`, { method: 'POST' })
  if (withSession) {
    const before = new Session()
    before.signIn('ada')
    before.set('n', 1)
    before.flash('old notice', 'Hello')
    before.expireIn(600)
    ada.cookies.set('__Host-session', (await store.storeSession(before)) ?? '')
    await store.storeSession(elsewhere())
    clock.advance(60)
  }
  return { saboteur, store, ada, send }
}

/** Another device of ada's. */
function elsewhere(): Session {
  const other = new Session()
  other.signIn('ada')
  return other
}

/** The session behind the visitor's cookie, as JSON; `null` if there is none. */
async function seen({ saboteur, store, ada }: World): Promise<string | null> {
  saboteur.arm(Number.POSITIVE_INFINITY)
  const found = await store.loadSession(ada.cookies.get('__Host-session') ?? '')
  if (!found) return null
  const keys = [...found.keys()].map((key) => [key, found.get(key)])
  return JSON.stringify([
    found.owner,
    found.expiry,
    keys,
    found.has('notice'),
    found.has('old notice'),
  ])
}

/** Must be true whichever step was spoilt. */
async function afterwards(
  it: World,
  response: Response,
  success: string | null,
  otherwise: (string | null)[],
): Promise<void> {
  const now = await seen(it)
  const line = response.headers.get('Set-Cookie')
  if (response.ok) expect(now, 'a success that was not kept').toBe(success)
  if (line !== null && !line.includes('Max-Age=0')) {
    expect(now, 'a cookie for a session that is not there').not.toBeNull()
  }
  if (!response.ok) {
    expect(await response.text()).toBe('STORE_FAILED')
    expect([success, ...otherwise], 'half a change').toContain(now)
  }
  // The next request works, on what is there.
  const next = await it.send('write')
  expect(next.status).toBe(200)
  expect(await seen(it)).toContain('"written",true')
}

/** No record that no cookie leads to, and none in the list of devices. */
async function nothingIsLeft({ store, ada }: World, withSession: boolean): Promise<void> {
  const mine = await store.loadSession(ada.cookies.get('__Host-session') ?? '')
  const others = (await store.sessionsOf('ada')).filter(({ id }) => id !== mine?.id)
  expect(others.length, 'devices of hers beside this one').toBeLessThanOrEqual(withSession ? 1 : 0)
  expect(await store.sessionsOf('bob')).toHaveLength(mine?.owner === 'bob' ? 1 : 0)
  expect(await store.alive()).toBe(others.length + 1)
}

/** Sends a request in a world of its own with one step spoilt, or none. */
async function send(
  kind: string,
  withSession: boolean,
  step = Number.POSITIVE_INFINITY,
  mode?: Mode,
): Promise<[World, Response]> {
  const it = await world(withSession)
  it.saboteur.calls.length = 0
  it.saboteur.arm(step, mode)
  return [it, await it.send(kind)]
}

describe.each([
  ['a visitor with a session', true],
  ['a visitor without', false],
])('%s', (_who, withSession) => {
  describe.each(Object.keys(KINDS))('%s', (kind) => {
    test('whichever step fails or is done twice, nothing is half done and nothing false is said', async () => {
      const [whole] = await send(kind, withSession)
      const steps = whole.saboteur.calls.length
      const success = await seen(whole)
      const otherwise: (string | null)[] = [await seen(await world(withSession))]
      const halfway = HALFWAY[kind]
      if (halfway) otherwise.push(await seen((await send(halfway, withSession))[0]))
      if (ENDS.test(kind)) otherwise.push(null)
      if (withSession) expect(steps).toBeGreaterThan(0)
      for (let step = 0; step < steps; step++) {
        for (const mode of MODES) {
          const [it, response] = await send(kind, withSession, step, mode)
          if (mode === 'is done twice') expect(response.status).toBe(200)
          await afterwards(it, response, success, otherwise)
          await nothingIsLeft(it, withSession)
        }
      }
    })

    test('a backend that does every step twice changes nothing', async () => {
      const [whole] = await send(kind, withSession)
      const success = await seen(whole)
      const it = await world(withSession)
      it.saboteur.arm('every', 'is done twice')
      const response = await it.send(kind)
      expect(response.status).toBe(200)
      await afterwards(it, response, success, [])
      await nothingIsLeft(it, withSession)
    })

    test('whichever step takes long, nothing is answered before it is done', async () => {
      const [whole] = await send(kind, withSession)
      const steps = whole.saboteur.calls.length
      const success = await seen(whole)
      for (let step = 0; step < steps; step++) {
        const it = await world(withSession)
        const reached = Promise.withResolvers<void>()
        const go = Promise.withResolvers<void>()
        it.saboteur.stalled = { reached: reached.resolve, go: go.promise }
        it.saboteur.arm(step)
        let answered = false
        const response = it.send(kind).then((answer) => {
          answered = true
          return answer
        })
        await reached.promise
        for (let turn = 0; turn < 20; turn++) await Promise.resolve()
        expect(answered).toBe(false)
        go.resolve()
        expect((await response).status).toBe(200)
        it.saboteur.stalled = undefined
        expect(await seen(it)).toBe(success)
      }
    })
  })
})

test('a rotation that dies in the middle leaves the old session alive, and a record whose value nobody has', async () => {
  const it = await world(true)
  const before = await seen(it)
  const count = await it.store.count()
  const reached = Promise.withResolvers<void>()
  it.saboteur.stalled = { reached: reached.resolve, go: new Promise(() => {}) }
  it.saboteur.arm(2) // read, insert, and now the end of the old one
  void it.send('regenerate')
  await reached.promise
  it.saboteur.stalled = undefined
  expect(it.saboteur.calls.at(-1)).toEqual({ method: 'replace' })
  expect(await it.store.count()).toBe(count + 1)
  expect(await seen(it)).toBe(before)
  expect((await it.send('regenerate')).status).toBe(200)
  expect(await seen(it)).not.toBeNull()
  clock.advance(90_000)
  await it.store.cleanup()
  expect(await it.store.sessionsOf('ada')).toHaveLength(1) // the other device, which has no expiry
})
