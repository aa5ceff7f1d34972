// Where stores differ from a `Map`. No race is left to luck: two requests load before either stores, so that the one which stores
// second is always late; and a store's own steps are replaced by ones that are done twice, or done and not answered.

import type { Session } from '../../session/session.ts'
import { disturb, stepOf, twice, unanswered } from '../repeated-steps.ts'
import { count, IDLE, later, type Rule, type StoreTest } from '../store-test.ts'

const ROTATIONS: Record<string, (session: Session) => void> = {
  regenerate: (session) => session.regenerate(),
  signIn: (session) => session.signIn('ada', { keep: ['n'] }),
}

/** A rotation of ada's only session, while the store takes some steps in another way. Rotated or as before, never gone. */
async function rotateDisturbed(
  k: StoreTest,
  rotation: (session: Session) => void,
  ...disturbance: [steps: readonly string[], how: typeof twice]
): Promise<void> {
  const value = await k.issue({}, (session) => {
    session.signIn('ada')
    session.set('n', 1)
  })
  const session = await k.load(value)
  rotation(session)
  count(session)
  disturb(k.store, ...disturbance)
  let next: string | undefined
  const code = await k.codeOf(async () => {
    next = await k.store.storeSession(session)
  })
  const isRotated = code === 'no error'
  k.assert(isRotated || code === 'STORE_FAILED', `storeSession succeeds or fails, but: ${code}`)
  k.assert(isRotated || disturbance[1] !== twice, 'storeSession succeeds if steps are done twice')
  k.equal(await k.read(next ?? value, 'n'), isRotated ? 2 : 1, 'the data that is left')
  if (isRotated && k.can.revocation) k.assert(await k.isGone(value), 'the old value is dead')
  if (!k.can.owners) return
  k.equal((await k.store.sessionsOf?.('ada'))?.length, 1, 'how many sessions the owner has')
  k.equal(await k.store.destroySessionsOf?.('ada'), 1, 'how many of them are live')
}

function disturbed(): Rule[] {
  return Object.entries(ROTATIONS).flatMap(([name, rotation]) => [
    {
      // Drivers repeat a call whose answer was lost.
      rules: 'T8',
      title: `${name}, every step of which is done twice, leaves one live session`,
      check: (k: StoreTest) => rotateDisturbed(k, rotation, ['insert', 'replace'], twice),
    },
    {
      // The new record is there and nobody has its value: it must not count as a session of its owner.
      rules: 'T8',
      title: `${name} whose insert is done but not answered leaves the session as it was`,
      check: (k: StoreTest) => rotateDisturbed(k, rotation, ['insert'], unanswered),
    },
    {
      // The old record is dead already. Were the new one removed now, the visitor would be signed out by a timeout.
      rules: 'T8',
      title: `${name} whose last step is done but not answered leaves one live session`,
      check: (k: StoreTest) => rotateDisturbed(k, rotation, ['replace'], unanswered),
    },
  ])
}

/**
 * A request has loaded the session and changed it; `end` happens; the request stores. Whatever it gets, the session stays
 * dead. It should get `SESSION_GONE`.
 */
function endsMeanwhile(
  how: string,
  end: (k: StoreTest, value: string, other: Session) => Promise<void>,
  needs: Rule['needs'] = ['revocation', 'conditionalWrites'],
): Rule[] {
  const race = async (k: StoreTest, change: (session: Session) => void, seconds = 0) => {
    const value = await k.issue({ n: 1 }, (session) => session.expireIn(IDLE))
    const both = await k.twoRequests(value)
    if (!both) return undefined
    const [slow, fast] = both
    await end(k, value, fast)
    if (!(await k.isGone(value))) return undefined // the rule for ending it reports that it did not end
    return later(seconds, async () => {
      change(slow)
      const code = await k.codeOf(() => k.store.storeSession(slow))
      return { code, back: !(await k.isGone(value)) }
    })
  }
  return [
    {
      // A store that writes without a condition (`SET`, `REPLACE INTO`, `upsert`) signs somebody in again who has signed out.
      rules: 'T6',
      title: `a write does not bring back a session that was ${how}`,
      needs,
      check: async (k: StoreTest) => {
        const outcome = await race(k, count)
        k.assert(
          !outcome?.back,
          'the session is loadable again after a request wrote that had loaded it before',
        )
      },
    },
    {
      // The same by a request that only reads: an extension is a write as well.
      rules: 'T6',
      title: `moving the expiry does not bring back a session that was ${how}`,
      needs,
      check: async (k: StoreTest) => {
        const outcome = await race(k, () => {}, IDLE / 2)
        k.assert(
          !outcome?.back,
          'the session is loadable again after a request extended it that had loaded it before',
        )
      },
    },
    {
      // An app that shows "saved" has to know that nothing was.
      rules: 'T2',
      title: `a request learns with SESSION_GONE that its session was ${how}`,
      needs,
      check: async (k: StoreTest) => {
        const outcome = await race(k, count)
        if (!outcome || outcome.back) return
        k.equal(outcome.code, 'SESSION_GONE', 'what storeSession ends with')
      },
    },
  ]
}

/** What two requests at once may do to each other, and what not. */
export const RACE_RULES: readonly Rule[] = [
  ...endsMeanwhile('destroyed', async ({ store }, _value, other) => {
    await store.destroySession(other)
  }),
  ...endsMeanwhile('rotated', async (k: StoreTest, _value, other) => {
    other.regenerate()
    await k.store.storeSession(other)
  }),
  ...endsMeanwhile('signed in', async (k: StoreTest, _value, other) => {
    other.signIn('ada')
    await k.store.storeSession(other)
  }),
  ...endsMeanwhile(
    'revoked',
    async (k: StoreTest, _value, other) => {
      other.signIn('ada')
      await k.store.storeSession(other)
      await k.store.destroySessionsOf?.('ada')
    },
    ['owners', 'conditionalWrites'],
  ),
  {
    // The backend may not have removed it yet, so the version alone still fits.
    rules: 'T6',
    title: 'a write does not bring back a session that has expired',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 }, (session) => session.expireIn(IDLE))
      const session = await k.load(value)
      count(session)
      await later(IDLE + 1, async () => {
        if (!(await k.isGone(value))) return // told by T9
        await k.codeOf(() => k.store.storeSession(session))
        if (await k.isGone(value)) return
        k.assert(
          false,
          'the session is loadable again after a request wrote that had loaded it before',
        )
      })
    },
  },
  {
    // The two tabs of one visitor: one fills the cart, the other changes the language.
    rules: 'T7',
    title: 'concurrent changes of different keys are all kept',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      const value = await k.issue({ start: true })
      if (!(await k.twoRequests(value))) return
      const sessions = await Promise.all(Array.from({ length: 8 }, () => k.load(value)))
      for (const [i, session] of sessions.entries()) session.set(`key${i}`, i)
      await Promise.all(sessions.map((session) => k.store.storeSession(session)))
      const stored = await k.load(value)
      k.equal(stored.size, 9, 'how many of 9 keys are there')
    },
  },
  {
    // For one key there is no better answer. A store that writes the whole session would take the other keys along.
    rules: 'T7',
    title: 'of two requests that set one key the last one stored wins, and other keys stay',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      const value = await k.issue({ a: 0, b: 0, c: 0 })
      const both = await k.twoRequests(value)
      if (!both) return
      const [first, second] = both
      first.set('a', 1)
      first.set('b', 1)
      second.set('a', 2)
      second.delete('c')
      await k.store.storeSession(first)
      await k.store.storeSession(second)
      const stored = await k.load(value)
      k.equal(
        [stored.get('a'), stored.get('b'), stored.has('c')],
        [2, 1, false],
        'a, b and whether c is there',
      )
      k.equal(
        [second.get('a'), second.get('b')],
        [2, 1],
        'what the second request sees after storing',
      )
    },
  },
  {
    // Twenty that all read the same number: each must see what the one before it has stored.
    rules: 'T7 S5',
    title: 'concurrent updates all count',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 0 })
      if (!(await k.twoRequests(value))) return
      await Promise.all(Array.from({ length: 20 }, () => k.change(value, count)))
      k.equal(await k.read(value, 'n'), 20, 'a counter after 20 concurrent updates')
    },
  },
  {
    // A request that only reads, at the same time as one that writes.
    rules: 'T7',
    title: 'moving the expiry loses no change, and a change does not move it back',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 }, (session) => session.expireIn(IDLE))
      const both = await k.twoRequests(value)
      if (!both) return
      const [early, late] = both
      await later(IDLE / 2, () => k.store.storeSession(late))
      count(early)
      await k.store.storeSession(early)
      await later(IDLE + 1, async () => {
        k.assert(!(await k.isGone(value)), 'the session was extended and has not ended')
        k.equal(await k.read(value, 'n'), 2, 'the change that was stored after the extension')
      })
    },
  },
  {
    // It writes two records, and between its read and its last write somebody else was faster.
    rules: 'T8 T7',
    title: 'a rotation takes along what another request has stored meanwhile',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 })
      const both = await k.twoRequests(value)
      if (!both) return
      const [slow, fast] = both
      fast.set('other', 'kept')
      await k.store.storeSession(fast)
      slow.regenerate()
      count(slow)
      const next = (await k.store.storeSession(slow)) ?? ''
      const after = await k.load(next)
      k.equal([after.get('n'), after.get('other')], [2, 'kept'], 'n and other under the new value')
    },
  },
  {
    // A double click on "Sign in". Two live records would be two sessions of one visitor, and signing out ends only one.
    rules: 'T8',
    title: 'of two rotations at once one wins',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 })
      const both = await k.twoRequests(value)
      if (!both) return
      const outcomes = await Promise.allSettled(
        both.map((session) => {
          session.regenerate()
          return k.store.storeSession(session)
        }),
      )
      const values = outcomes.map(
        (outcome) => (outcome.status === 'fulfilled' && outcome.value) || '',
      )
      const alive = await Promise.all(
        values.map(async (next) => next !== '' && !(await k.isGone(next))),
      )
      k.equal(alive.filter(Boolean).length, 1, 'how many of two rotations left a session behind')
      k.assert(await k.isGone(value), 'the old cookie value is dead')
    },
  },
  ...disturbed(),
  {
    // The second call finds the version that the first has written, and must not be taken for a lost race.
    rules: 'T7 S5',
    title: 'an update that is done twice by the backend counts once',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      disturb(k.store, ['insert', 'replace'], twice)
      const value = await k.issue({ n: 1 })
      await k.change(value, count)
      k.equal(await k.read(value, 'n'), 2, 'a counter after one update')
    },
  },
  {
    // Cleaning up after a failure must not take what another request has written by then.
    rules: 'T8 T7',
    title: 'a removal leaves a session alone that has another version by now',
    needs: ['conditionalWrites', 'revocation'],
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 })
      const { id } = await k.load(value)
      const removed = await stepOf(k.store, 'remove')?.(id, 'AAAAAAAAAAAAAAAA')
      k.equal(removed ?? false, false, 'what remove() gives for another version')
      k.assert(!(await k.isGone(value)), 'the session is still there')
    },
  },
]
