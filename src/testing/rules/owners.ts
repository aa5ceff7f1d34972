// What "sign out everywhere" rests on. An index that lists one session too many is harmless, one too few is a thief who stays
// signed in. The comment above each rule says what it protects from.

import type { Session } from '../../session/session.ts'
import { disturb, notDone, unanswered } from '../repeated-steps.ts'
import { HOUR, IDLE, later, type Rule, type StoreTest } from '../store-test.ts'

/** Every session of an owner. */
export const OWNER_RULES: readonly Rule[] = [
  {
    // A list of devices. What has expired is not there, whether or not the backend has removed it.
    rules: 'O1',
    title: 'sessionsOf lists the owner’s live sessions, newest first',
    needs: 'owners',
    check: async (k: StoreTest) => {
      await k.issue({}, (session) => session.signIn('bob'))
      await k.issue({ nobody: true })
      const oldest = await k.issue({}, (session) => session.signIn('ada'))
      const short = await later(1, () =>
        k.issue({}, (session) => {
          session.signIn('ada')
          session.expireIn(IDLE)
        }),
      )
      const newest = await later(2, () => k.issue({}, (session) => session.signIn('ada')))
      const ids = await Promise.all(
        [newest, short, oldest].map(async (value) => (await k.load(value)).id),
      )
      const listed = await later(3, async () => (await k.store.sessionsOf?.('ada')) ?? [])
      k.equal(
        listed.map(({ id }) => id),
        ids,
        'the ids, newest first',
      )
      k.assert(
        listed[1]?.expiry instanceof Date && listed[1].createdAt instanceof Date,
        'createdAt and expiry are dates',
      )
      const left = await later(IDLE + 3, async () => (await k.store.sessionsOf?.('ada')) ?? [])
      k.equal(left.length, 2, 'how many are listed after one has expired')
    },
  },
  {
    // "Sign out everywhere else". The one excepted is given as a session or as an id.
    rules: 'O1',
    title: 'destroySessionsOf ends all sessions of an owner but the excepted one',
    needs: 'owners',
    check: async (k: StoreTest) => {
      const signIn = (session: Session): void => session.signIn('ada')
      const values = [
        await k.issue({}, signIn),
        await k.issue({}, signIn),
        await k.issue({}, signIn),
      ]
      const [first = '', second = '', third = ''] = values
      const bob = await k.issue({}, (session) => session.signIn('bob'))
      const except = await k.load(third)
      k.equal(await k.store.destroySessionsOf?.('ada', { except }), 2, 'how many were ended')
      const gone = await Promise.all([first, second, third, bob].map((value) => k.isGone(value)))
      k.equal(gone, [true, true, false, false], 'which of ada’s three and bob’s are gone')
      k.equal(
        await k.store.destroySessionsOf?.('ada', { except: except.id ?? '' }),
        0,
        'how many more were ended',
      )
      k.equal(
        await k.store.destroySessionsOf?.('ada'),
        1,
        'how many were ended without an exception',
      )
      k.equal(await k.store.sessionsOf?.('ada'), [], 'what is listed then')
    },
  },
  {
    // `undefined` from a lookup that failed must not end everybody's sessions.
    rules: 'O3',
    title: 'an owner or an id that is no proper string is a TypeError, and ends nothing',
    needs: 'owners',
    check: async (k: StoreTest) => {
      const anonymous = await k.issue({ n: 1 })
      const ada = await k.issue({}, (session) => session.signIn('ada'))
      const { store } = k
      const odd = [undefined, null, 42, {}, { $ne: 'eve' }, ['ada'], '', 'a\0b', 'x'.repeat(256)]
      for (const owner of odd as never[]) {
        const calls: (() => unknown)[] = [
          () => store.sessionsOf?.(owner),
          () => store.destroySessionsOf?.(owner),
          () => store.destroySessionById?.(owner, 'A'.repeat(43)),
        ]
        for (const call of calls) {
          const outcome = await Promise.resolve()
            .then(call)
            .then(
              () => 'no error',
              (error: unknown) => (error instanceof TypeError ? 'TypeError' : String(error)),
            )
          k.equal(outcome, 'TypeError', 'what an owner that is no proper string gives')
        }
      }
      k.equal(await store.destroySessionById?.('ada', 'no id of ours'), false, 'an unknown id')
      const gone = await Promise.all([anonymous, ada].map((value) => k.isGone(value)))
      k.equal(gone, [false, false], 'whether the sessions are gone')
    },
  },
  {
    // The new record is written before the old one dies, so a list that is read in between has only one of the two.
    rules: 'O1',
    title: 'a rotation in flight does not escape destroySessionsOf',
    needs: 'owners',
    check: async (k: StoreTest) => {
      const value = await k.issue({}, (session) => session.signIn('ada'))
      const session = await k.load(value)
      session.regenerate()
      const [rotated] = await Promise.allSettled([
        k.store.storeSession(session),
        k.store.destroySessionsOf?.('ada'),
      ])
      const next = rotated.status === 'fulfilled' ? rotated.value : undefined
      k.assert(await k.isGone(value), 'the old cookie value is dead')
      k.assert(next === undefined || (await k.isGone(next)), 'the new cookie value is dead')
    },
  },
  {
    // The device stays with the session through a rotation; the last use is when it was last written.
    rules: 'O4 S8',
    title: 'sessionsOf says which device it is, and when it was last used',
    needs: 'owners',
    check: async (k: StoreTest) => {
      const device = 'Firefox on Linux 😀'
      const value = await k.issue({}, (session) => session.signIn('ada', { device }))
      const listed = async () => (await k.store.sessionsOf?.('ada')) ?? []
      const [first] = await listed()
      k.assert(first?.lastUsedAt instanceof Date, 'lastUsedAt is a date')
      const next = await later(HOUR, () =>
        k.change(value, (session) => {
          session.regenerate()
          session.set('n', 1)
        }),
      )
      k.equal((await k.load(next)).device, device, 'the device of the rotated session')
      const [second] = await listed()
      k.equal(second?.device, device, 'the device that is listed')
      k.equal(second?.createdAt, first.createdAt, 'when it was created')
      const used = (second?.lastUsedAt.getTime() ?? 0) - first.lastUsedAt.getTime()
      k.assert(Math.abs(used - HOUR * 1000) < 60_000, 'a write an hour later is its last use')
      const plain = await k.issue({}, (session) => session.signIn('bob'))
      k.equal((await k.load(plain)).device, undefined, 'a device that was never told')
    },
  },
  ...(['done and', 'not done, but'] as const).map(
    (what): Rule => ({
      // An index beside the records is a second write. If only one of the two is done, the session must still be found.
      rules: 'O1',
      title: `an extension that is ${what} reported as failed escapes no sign-out everywhere`,
      needs: 'owners',
      check: async (k: StoreTest) => {
        const value = await k.issue({}, (session) => {
          session.signIn('ada')
          session.expireIn(IDLE)
        })
        const session = await k.load(value)
        session.expireIn(HOUR)
        const failing = what === 'done and' ? unanswered : notDone
        const { undo } = disturb(k.store, ['replace'], failing)
        await k.codeOf(() => k.store.storeSession(session))
        undo()
        await later(IDLE + 1, async () => {
          const isLive = !(await k.isGone(value))
          const listed = await k.store.sessionsOf?.('ada')
          k.equal(listed?.length, isLive ? 1 : 0, 'how many sessions are listed')
          k.equal(await k.store.destroySessionsOf?.('ada'), isLive ? 1 : 0, 'how many were ended')
          k.assert(await k.isGone(value), 'the cookie value is dead')
        })
      },
    }),
  ),
  {
    // The id comes from a form, so it may be anybody's: the owner is checked by the store, in the same step.
    rules: 'O1',
    title: 'destroySessionById ends one session, and only its owner’s',
    needs: 'owners',
    check: async (k: StoreTest) => {
      const value = await k.issue({}, (session) => session.signIn('ada'))
      const { id = '' } = await k.load(value)
      k.equal(await k.store.destroySessionById?.('bob', id), false, 'for another owner')
      k.equal(
        await k.store.destroySessionById?.('ada', 'nonsense'),
        false,
        'for something that is no id',
      )
      k.assert(!(await k.isGone(value)), 'the session is still there')
      k.equal(await k.store.destroySessionById?.('ada', id), true, 'for its owner')
      k.assert(await k.isGone(value), 'the session is gone')
      k.equal(await k.store.destroySessionById?.('ada', id), false, 'for a session that is gone')
    },
  },
  {
    // A collation or a pattern (`LIKE`) would take one for the other.
    rules: 'O1',
    title: 'two owners that differ in a single bit are different owners',
    needs: 'owners',
    check: async (k: StoreTest) => {
      const owners = [
        'Ab',
        'aB',
        'ab',
        'ab ',
        'é',
        'e\u0301',
        '%',
        '_',
        "o'",
        '😀',
        'x'.repeat(255),
      ]
      for (const owner of owners) await k.issue({}, (session) => session.signIn(owner))
      for (const owner of owners) {
        k.equal((await k.store.sessionsOf?.(owner))?.length, 1, 'how many sessions an owner has')
      }
      k.equal(await k.store.destroySessionsOf?.('ab'), 1, 'how many were ended')
      k.equal((await k.store.sessionsOf?.('aB'))?.length, 1, 'how many another owner has left')
    },
  },
]
