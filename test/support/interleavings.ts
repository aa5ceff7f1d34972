import fc from 'fast-check'
import { expect, vi } from 'vitest'
import { KeyedStore, Session, SessionError, type SessionRecord } from '../../src/index.ts'

/** A backend in a Map that takes its time: every step waits for its turn before it happens, and again before it is answered. */
class ScheduledStore extends KeyedStore {
  readonly rows = new Map<string, SessionRecord>()
  readonly #scheduler: fc.Scheduler
  readonly #isRepeated: () => boolean
  readonly #seen = new Map<string, 'alive' | 'dead'>()

  constructor(scheduler: fc.Scheduler, isRepeated: () => boolean) {
    super()
    this.#scheduler = scheduler
    this.#isRepeated = isRepeated
  }

  /** Some steps are done twice, as by a driver that sends again what was not answered. */
  async #step<T>(operation: string, effect: () => T, isRepeated = this.#isRepeated()): Promise<T> {
    await this.#scheduler.schedule(Promise.resolve(), `${operation} sent`)
    this.#look()
    if (isRepeated) effect()
    const reply = effect()
    this.#look()
    await this.#scheduler.schedule(Promise.resolve(), `${operation} answered`)
    return reply
  }

  /** Dead stays dead: what was once absent or expired is so for ever. */
  #look(): void {
    for (const [id, { expiry, body }] of this.rows) {
      const alive = body !== '' && (expiry === null || expiry > Date.now())
      if (alive && this.#seen.get(id) === 'dead') throw new Error('a dead session is alive again')
      this.#seen.set(id, alive ? 'alive' : 'dead')
    }
    for (const id of this.#seen.keys()) if (!this.rows.has(id)) this.#seen.set(id, 'dead')
  }

  read(id: string): Promise<SessionRecord | undefined> {
    return this.#step('read', () => this.rows.get(id))
  }

  insert(id: string, record: SessionRecord): Promise<boolean> {
    return this.#step('insert', () => !this.rows.has(id) && Boolean(this.rows.set(id, record)))
  }

  replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    const write = (): boolean => {
      const row = this.rows.get(id)
      if (row?.version !== version || (row.expiry ?? Infinity) <= Date.now()) return false
      return Boolean(this.rows.set(id, record))
    }
    // Of data only once: nobody could tell a write that was done twice when another has gone over it in between.
    return this.#step('replace', write, record.body === '' && this.#isRepeated())
  }

  remove(id: string, version?: string): Promise<boolean> {
    return this.#step('remove', () => {
      if (version !== undefined && this.rows.get(id)?.version !== version) return false
      return this.rows.delete(id)
    })
  }

  removeAll(): Promise<void> {
    return this.#step('removeAll', () => this.rows.clear())
  }

  override recordsOf(owner: string): Promise<[string, SessionRecord][]> {
    return this.#step('recordsOf', () => [...this.rows].filter(([, row]) => row.owner === owner))
  }
}

const DATA_ACTIONS = ['set', 'update', 'flash', 'take'] as const
const FINAL_ACTIONS = ['none', 'regenerate', 'signIn', 'destroy', 'everywhere', 'wait'] as const

interface Plan {
  /** Which of the two visitors sends it. */
  visitor: 0 | 1
  data: (typeof DATA_ACTIONS)[number][]
  final: (typeof FINAL_ACTIONS)[number]
}

const plan: fc.Arbitrary<Plan> = fc.record({
  visitor: fc.constantFrom<0 | 1>(0, 1),
  data: fc.array(fc.constantFrom(...DATA_ACTIONS), { maxLength: 3 }),
  final: fc.oneof(
    { weight: 5, arbitrary: fc.constant<Plan['final']>('none') },
    { weight: 3, arbitrary: fc.constantFrom(...FINAL_ACTIONS) },
  ),
})

/** A write that was acknowledged: what it did to the session with this id, or on the way to it. */
interface Acknowledged {
  id: string
  /** The id that the session had before, when it was rotated. `undefined` begins a new line. */
  from: string | undefined
  keys: string[]
  updates: number
}

const IDLE = 600

/** The state of the world while requests run, and the invariants that must hold. */
class World {
  readonly store: ScheduledStore
  readonly values: [string, string] = ['', '']
  readonly acknowledged: Acknowledged[] = []
  readonly ended = new Set<string>()
  readonly #created = new Map<string, number>()

  constructor(scheduler: fc.Scheduler, isRepeated: () => boolean) {
    this.store = new ScheduledStore(scheduler, isRepeated)
  }

  async begin(): Promise<void> {
    for (const visitor of [0, 1] as const) {
      const session = new Session()
      session.signIn(`owner ${visitor}`)
      session.expireIn(IDLE)
      this.values[visitor] = (await this.store.storeSession(session)) ?? ''
      const id = session.id ?? ''
      this.acknowledged.push({ id, from: undefined, keys: [], updates: 0 })
    }
  }

  async request(index: number, { visitor, data, final }: Plan): Promise<void> {
    const value = this.values[visitor]
    const session = await this.store.loadSession(value)
    if (!session) return
    const before = session.id ?? ''
    const key = `visitor ${visitor} request ${index}`
    for (const action of data) act(session, action, key)
    try {
      await this.#finish(session, visitor, final)
    } catch (error) {
      // Not acknowledged: it must have left no trace.
      if (error instanceof SessionError && error.code === 'SESSION_GONE') return
      throw error
    }
    if (final === 'destroy') this.ended.add(before)
    if (final === 'destroy' || session.id === undefined) return
    this.#absoluteLifetimeStays(session, before, final)
    const keeps = final !== 'signIn'
    this.acknowledged.push({
      id: session.id,
      from: keeps && session.id !== before ? before : undefined,
      keys: keeps && data.includes('set') ? [key] : [],
      updates: keeps ? data.filter((action) => action === 'update').length : 0,
    })
  }

  async #finish(session: Session, visitor: 0 | 1, final: Plan['final']): Promise<void> {
    if (final === 'wait') vi.setSystemTime(Date.now() + (IDLE / 3) * 1000)
    if (final === 'everywhere') await this.store.destroySessionsOf?.(`owner ${visitor}`)
    if (final === 'regenerate') session.regenerate()
    if (final === 'signIn') session.signIn(`owner ${visitor}`)
    if (final === 'destroy') return this.store.destroySession(session)
    const next = await this.store.storeSession(session)
    if (next !== undefined) this.values[visitor] = next
  }

  #absoluteLifetimeStays(session: Session, before: string, final: Plan['final']): void {
    const id = session.id ?? ''
    const created = session.createdAt.getTime()
    if (final !== 'signIn') expect(this.#created.get(before) ?? created).toBe(created)
    this.#created.set(id, created)
  }

  /** When everything is over: every record is somebody's session, and holds exactly what was acknowledged. */
  check(): void {
    for (const id of this.ended) expect(this.store.rows.has(id)).toBe(false)
    const rotatedFrom = this.acknowledged.flatMap(({ from }) => from ?? [])
    // One live successor for each regenerate.
    expect(new Set(rotatedFrom).size).toBe(rotatedFrom.length)
    for (const [id, { body }] of this.store.rows) {
      if (body === '') continue // was rotated
      const line = this.#lineOf(id)
      expect(line.length).toBeGreaterThan(0)
      const { n = 0, ...rest } = JSON.parse(body).d
      expect(n).toBe(line.reduce((sum, { updates }) => sum + updates, 0))
      expect(Object.keys(rest).sort()).toEqual(line.flatMap(({ keys }) => keys).sort())
    }
  }

  /** Everything that was acknowledged on the way to this id. */
  #lineOf(id: string): Acknowledged[] {
    const here = this.acknowledged.filter((entry) => entry.id === id)
    const from = here.find((entry) => entry.from !== undefined)?.from
    return from === undefined ? here : [...here, ...this.#lineOf(from)]
  }
}

function act(session: Session, action: Plan['data'][number], key: string): void {
  if (action === 'set') session.set(key, true)
  if (action === 'update') session.update('n', (n) => Number(n ?? 0) + 1)
  if (action === 'flash') session.flash('notice', key)
  if (action === 'take') {
    const notice = session.get('notice')
    // No data of one visitor appears in another's session.
    if (notice !== undefined) expect(String(notice).slice(0, 9)).toBe(key.slice(0, 9))
  }
}

/** Random requests of two visitors, in random interleavings of every step of theirs. Throws with seed and path on a violation. */
export async function runInterleavings(numRuns: number): Promise<void> {
  const seed = Date.now() & 0x7fffffff
  console.log(`interleavings: ${numRuns} runs, seed ${seed}`)
  // Retries without a pause: which of them goes first is the scheduler's to say.
  const random = vi.spyOn(Math, 'random').mockReturnValue(0)
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(plan, { minLength: 2, maxLength: 8 }),
        fc.infiniteStream(fc.boolean()),
        async (scheduler, plans, repeats) => {
          const world = new World(scheduler, () => repeats.next().value)
          await scheduler.waitFor(world.begin())
          const requests = plans.map(async (request, index) => {
            await scheduler.schedule(Promise.resolve(), `request ${index}`)
            await world.request(index, request)
          })
          await scheduler.waitFor(Promise.all(requests))
          world.check()
        },
      ),
      { numRuns, seed },
    )
  } finally {
    random.mockRestore()
    vi.useRealTimers()
  }
}
