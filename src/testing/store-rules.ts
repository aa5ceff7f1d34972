import { idOf, isValueShaped } from '../crypto.js'
import { Session } from '../session.js'
import { type Kit, later, type Rule, withRepeatedRandomness } from './contract-kit.js'

/** Longer than the idle timeout that a check gives its session, shorter than any backend would wait. */
const IDLE = 600

const HOUR = 3600

const MALFORMED = [
  '',
  ' ',
  '.',
  'null',
  '[object Object]',
  'A'.repeat(42),
  'A'.repeat(44),
  `${'A'.repeat(42)}=`,
  `${'A'.repeat(42)}+`,
  `${'A'.repeat(42)}B`,
  `${'A'.repeat(42)}\0`,
  `${'A'.repeat(42)}é`,
  `"${'A'.repeat(43)}"`,
  `%41${'A'.repeat(42)}`,
  `${'A'.repeat(43)}, ${'A'.repeat(43)}`,
  "' OR 1=1 --",
  '{"$gt":""}',
  '../../etc/passwd',
  'A'.repeat(5_000),
  '\ud800'.repeat(43),
]

/** Values that a careless store changes on the way. */
const AWKWARD: Record<string, unknown> = {
  empty: '',
  quotes: `'"\`\\;--/*`,
  controls: '\u0000\u0001\u001f\u007f\u2028\u2029',
  astral: '😀 é e\u0301 \uffff',
  'lone surrogate': '\ud800 \udfff',
  number: -1.5e-300,
  big: Number.MAX_SAFE_INTEGER,
  false: false,
  null: null,
  nested: { a: [1, [2, { b: [] }], {}], toJSON: 'no', $where: 1, 'a.b': 2 },
  'a key with "quotes", \u0000 and 😀': true,
}

/** Adds one to `n`. */
function count(session: Session): void {
  session.update('n', (n) => Number(n ?? 0) + 1)
}

/** Two requests that have loaded the same session, each with its own copy. */
async function twoRequests(k: Kit, value: string): Promise<[Session, Session] | undefined> {
  const [a, b] = [await k.load(value), await k.load(value)]
  // A store that hands one object to both is told so by T13 alone.
  return a === b ? undefined : [a, b]
}

/**
 * A request has loaded the session and changed it; `end` happens; the request stores. Whatever it is told, the session stays
 * dead. What it has to be told is `SESSION_GONE`.
 */
function endsMeanwhile(
  how: string,
  end: (k: Kit, value: string, other: Session) => Promise<void>,
  needs: Rule['needs'] = 'revocation',
): Rule[] {
  const race = async (k: Kit, change: (session: Session) => void, seconds = 0) => {
    const value = await k.issue({ n: 1 }, (session) => session.expireIn(IDLE))
    const both = await twoRequests(k, value)
    if (!both) return undefined
    const [slow, fast] = both
    await end(k, value, fast)
    if (!(await k.isGone(value))) return undefined // that it did not end is told by the rule for ending it
    return later(seconds, async () => {
      change(slow)
      const code = await k.codeOf(() => k.store.storeSession(slow))
      return { code, back: !(await k.isGone(value)) }
    })
  }
  return [
    {
      rules: 'T6',
      title: `a write does not bring back a session that was ${how}`,
      needs,
      check: async (k: Kit) => {
        const outcome = await race(k, count)
        k.assert(
          !outcome?.back,
          'the session is loadable again after a request wrote that had loaded it before',
        )
      },
    },
    {
      rules: 'T6',
      title: `moving the expiry does not bring back a session that was ${how}`,
      needs,
      check: async (k: Kit) => {
        const outcome = await race(k, () => {}, IDLE / 2)
        k.assert(
          !outcome?.back,
          'the session is loadable again after a request extended it that had loaded it before',
        )
      },
    },
    {
      rules: 'T2',
      title: `a request learns with SESSION_GONE that its session was ${how}`,
      needs,
      check: async (k: Kit) => {
        const outcome = await race(k, count)
        if (!outcome || outcome.back) return
        k.same(outcome.code, 'SESSION_GONE', 'what storeSession ends with')
      },
    },
  ]
}

/** Every rule that a store can be held to from the outside. */
export const CONTRACT: readonly Rule[] = [
  {
    rules: 'T1',
    title: 'a value that nobody issued is no session',
    check: async (k: Kit) => {
      k.assert(await k.isGone('A'.repeat(43)), 'loadSession gives undefined for an unknown value')
    },
  },
  {
    rules: 'T1',
    title: 'a malformed value is no session, never an error',
    check: async (k: Kit) => {
      for (const value of MALFORMED) {
        const outcome = await k.codeOf(async () => {
          k.assert(await k.isGone(value), 'loadSession gives undefined for a malformed value')
        })
        k.same(outcome, 'no error', `loading a malformed value of ${value.length} characters`)
      }
    },
  },
  {
    rules: 'T1',
    title: 'isWellFormed takes what the store issues and nothing else',
    check: async (k: Kit) => {
      const { store } = k
      if (!store.isWellFormed) return
      k.assert(store.isWellFormed(await k.issue()), 'isWellFormed is true for an issued value')
      for (const value of MALFORMED) {
        k.assert(
          !store.isWellFormed(value),
          `isWellFormed is false for a malformed value of ${value.length} characters`,
        )
      }
    },
  },
  {
    rules: 'T2',
    title: 'a new session gets a cookie value, and is found under it',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 })
      k.same(await k.read(value, 'n'), 1, 'what was stored')
    },
  },
  {
    rules: 'T2',
    title: 'an update keeps the cookie value and gives none',
    needs: 'revocation',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 })
      const session = await k.load(value)
      session.set('n', 2)
      k.same(
        await k.store.storeSession(session),
        undefined,
        'what storeSession gives for an unchanged id',
      )
      k.same(await k.read(value, 'n'), 2, 'what was stored')
    },
  },
  {
    rules: 'T2',
    title: 'a session without data is stored as well',
    check: async (k: Kit) => {
      const session = await k.load(await k.issue())
      k.same(
        [session.size, session.isNew, session.dataChanged],
        [0, false, false],
        'size, isNew, dataChanged',
      )
    },
  },
  {
    rules: 'T3',
    title: 'the id is the hash of the cookie value, and no cookie value itself',
    needs: 'revocation',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 })
      const { id = '' } = await k.load(value)
      k.same(id, await idOf(value), 'the id of a session')
      k.assert(await k.isGone(id), 'the id of a session, used as a cookie value, is no session')
    },
  },
  {
    rules: 'T3',
    title: 'the id stays the same as long as the session is not rotated',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 })
      const { id = '' } = await k.load(value)
      k.assert(isValueShaped(id), 'the id is 43 characters of base64url')
      const next = await k.change(value, count)
      k.same((await k.load(next)).id, id, 'the id after a change')
    },
  },
  {
    rules: 'T4',
    title: 'cookie values are 43 characters of base64url, each its own, in one spelling only',
    needs: 'revocation',
    check: async (k: Kit) => {
      const values = await Promise.all(Array.from({ length: 20 }, () => k.issue()))
      k.same(new Set(values).size, 20, 'how many of 20 cookie values differ')
      for (const value of values) {
        k.assert(isValueShaped(value), 'a cookie value is 43 characters of canonical base64url')
        const last = value.charCodeAt(42)
        for (const step of [1, 2, 3]) {
          const respelled = value.slice(0, 42) + String.fromCharCode(last + step)
          const gone = await k.isGone(respelled).catch(() => true) // an error is told by T1
          k.assert(gone, 'another spelling of the last character is no session')
        }
      }
    },
  },
  {
    rules: 'T5',
    title: 'an insert never overwrites: a taken id is tried again with a new value',
    needs: 'conditionalWrites',
    check: async (k: Kit) => {
      let first = ''
      const second = await withRepeatedRandomness(
        async () => {
          first = await k.issue({ who: 'first' })
        },
        () => k.issue({ who: 'second' }),
      )
      k.same(await k.read(first, 'who'), 'first', 'the session that was there')
      k.same(await k.read(second, 'who'), 'second', 'the session that came later')
    },
  },
  ...endsMeanwhile('destroyed', async ({ store }, _value, other) => {
    await store.destroySession(other)
  }),
  ...endsMeanwhile('rotated', async (k: Kit, _value, other) => {
    other.regenerate()
    await k.store.storeSession(other)
  }),
  ...endsMeanwhile('signed in', async (k: Kit, _value, other) => {
    other.signIn('ada')
    await k.store.storeSession(other)
  }),
  ...endsMeanwhile(
    'revoked',
    async (k: Kit, _value, other) => {
      other.signIn('ada')
      await k.store.storeSession(other)
      await k.store.destroySessionsOf?.('ada')
    },
    'owners',
  ),
  {
    rules: 'T6',
    title: 'a write does not bring back a session that has expired',
    needs: 'conditionalWrites',
    check: async (k: Kit) => {
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
    rules: 'T7',
    title: 'concurrent changes of different keys are all kept',
    needs: 'conditionalWrites',
    check: async (k: Kit) => {
      const value = await k.issue({ start: true })
      if (!(await twoRequests(k, value))) return
      const sessions = await Promise.all(Array.from({ length: 8 }, () => k.load(value)))
      for (const [i, session] of sessions.entries()) session.set(`key${i}`, i)
      await Promise.all(sessions.map((session) => k.store.storeSession(session)))
      const stored = await k.load(value)
      k.same(stored.size, 9, 'how many of 9 keys are there')
    },
  },
  {
    rules: 'T7',
    title: 'of two requests that set one key the last one stored wins, and other keys stay',
    needs: 'conditionalWrites',
    check: async (k: Kit) => {
      const value = await k.issue({ a: 0, b: 0, c: 0 })
      const both = await twoRequests(k, value)
      if (!both) return
      const [first, second] = both
      first.set('a', 1)
      first.set('b', 1)
      second.set('a', 2)
      second.delete('c')
      await k.store.storeSession(first)
      await k.store.storeSession(second)
      const stored = await k.load(value)
      k.same(
        [stored.get('a'), stored.get('b'), stored.has('c')],
        [2, 1, false],
        'a, b and whether c is there',
      )
      k.same(
        [second.get('a'), second.get('b')],
        [2, 1],
        'what the second request sees after storing',
      )
    },
  },
  {
    rules: 'T7 S5',
    title: 'concurrent updates all count',
    needs: 'conditionalWrites',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 0 })
      if (!(await twoRequests(k, value))) return
      await Promise.all(Array.from({ length: 20 }, () => k.change(value, count)))
      k.same(await k.read(value, 'n'), 20, 'a counter after 20 concurrent updates')
    },
  },
  {
    rules: 'T7',
    title: 'moving the expiry loses no change, and a change does not move it back',
    needs: 'conditionalWrites',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 }, (session) => session.expireIn(IDLE))
      const both = await twoRequests(k, value)
      if (!both) return
      const [early, late] = both
      await later(IDLE / 2, () => k.store.storeSession(late))
      count(early)
      await k.store.storeSession(early)
      await later(IDLE + 1, async () => {
        k.assert(!(await k.isGone(value)), 'the session was extended and has not ended')
        k.same(await k.read(value, 'n'), 2, 'the change that was stored after the extension')
      })
    },
  },
  {
    rules: 'T8 S7',
    title: 'regenerate moves everything to a new value, and the old one is dead',
    check: async (k: Kit) => {
      const value = await k.issue({ cart: ['tea'], n: 1 })
      const before = await k.load(value)
      const created = before.createdAt.getTime()
      before.regenerate()
      count(before)
      const next = await k.store.storeSession(before)
      k.assert(typeof next === 'string' && next !== value, 'regenerate gives a new cookie value')
      const after = await k.load(next)
      k.same([after.get('cart'), after.get('n')], [['tea'], 2], 'the data under the new value')
      k.same(after.createdAt.getTime(), created, 'the start of the absolute lifetime')
      k.same(before.id, after.id, 'the id that the request sees after storing')
      if (k.can.revocation) k.assert(await k.isGone(value), 'the old cookie value is dead')
    },
  },
  {
    rules: 'S7',
    title: 'regenerate keeps only the keys it is told to, and twice is once',
    check: async (k: Kit) => {
      const value = await k.issue({ cart: 1, secret: 2 })
      const next = await k.change(value, (session) => {
        session.regenerate()
        session.regenerate({ keep: ['cart'] })
        session.set('later', 3)
      })
      const after = await k.load(next)
      k.same([...after.keys()].sort(), ['cart', 'later'], 'the keys that are left')
    },
  },
  {
    rules: 'T8 T7',
    title: 'a rotation takes along what another request has stored meanwhile',
    needs: 'conditionalWrites',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 })
      const both = await twoRequests(k, value)
      if (!both) return
      const [slow, fast] = both
      fast.set('other', 'kept')
      await k.store.storeSession(fast)
      slow.regenerate()
      count(slow)
      const next = (await k.store.storeSession(slow)) ?? ''
      const after = await k.load(next)
      k.same([after.get('n'), after.get('other')], [2, 'kept'], 'n and other under the new value')
    },
  },
  {
    rules: 'T8',
    title: 'of two rotations at once one wins',
    needs: 'conditionalWrites',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 })
      const both = await twoRequests(k, value)
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
      k.same(alive.filter(Boolean).length, 1, 'how many of two rotations left a session behind')
      k.assert(await k.isGone(value), 'the old cookie value is dead')
    },
  },
  {
    rules: 'S8',
    title: 'signIn gives a new value, an owner, a new absolute lifetime and none of the data',
    check: async (k: Kit) => {
      const value = await k.issue({ cart: 1, isAdmin: true })
      await later(HOUR, async () => {
        const session = await k.load(value)
        const created = session.createdAt.getTime()
        session.signIn('ada', { keep: ['cart'] })
        const next = await k.store.storeSession(session)
        k.assert(typeof next === 'string' && next !== value, 'signIn gives a new cookie value')
        const after = await k.load(next)
        k.same([...after.keys()], ['cart'], 'the keys that are left')
        k.same(after.owner, 'ada', 'the owner')
        k.assert(after.createdAt.getTime() > created, 'the absolute lifetime starts again')
        if (k.can.revocation) k.assert(await k.isGone(value), 'the old cookie value is dead')
      })
    },
  },
  {
    rules: 'S8',
    title: 'signIn stands although the session it came from is gone',
    needs: 'revocation',
    check: async (k: Kit) => {
      const both = await twoRequests(k, await k.issue({ n: 1 }))
      if (!both) return
      const [slow, fast] = both
      await k.store.destroySession(fast)
      slow.signIn('ada')
      const next = (await k.store.storeSession(slow)) ?? ''
      k.same((await k.load(next)).owner, 'ada', 'the owner of the fresh session')
    },
  },
  {
    rules: 'S6',
    title: 'a flash is kept until it is read, and then gone',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 }, (session) => session.flash('notice', { text: 'Saved' }))
      const waiting = await k.load(value)
      k.same(
        [waiting.has('notice'), waiting.size, [...waiting.keys()]],
        [true, 1, ['n']],
        'has, size and keys',
      )
      const next = await k.change(value, (session) => {
        k.same(session.get('notice'), { text: 'Saved' }, 'the flash')
        k.same(session.get('notice'), undefined, 'the flash, read again')
      })
      k.same(await k.read(next, 'notice'), undefined, 'the flash in a later request')
    },
  },
  {
    rules: 'S6',
    title: 'reading one flash does not remove a newer one',
    needs: 'conditionalWrites',
    check: async (k: Kit) => {
      const value = await k.issue({}, (session) => session.flash('notice', 'old'))
      const both = await twoRequests(k, value)
      if (!both) return
      const [reader, writer] = both
      reader.get('notice')
      writer.flash('notice', 'new')
      await k.store.storeSession(writer)
      await k.store.storeSession(reader)
      k.same(await k.read(value, 'notice'), 'new', 'the newer flash')
    },
  },
  {
    rules: 'T9',
    title: 'an expired session is no session, whether or not the backend has removed it',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 }, (session) => session.expireIn(IDLE))
      await later(IDLE - 1, async () => {
        k.assert(!(await k.isGone(value)), 'a session is there until its idle timeout is over')
      })
      await later(IDLE, async () => {
        k.assert(await k.isGone(value), 'a session is gone when its idle timeout is over')
      })
    },
  },
  {
    rules: 'S10',
    title: 'the expiry and the own idle timeout of a session are remembered',
    check: async (k: Kit) => {
      const value = await k.issue({}, (session) => session.expireIn(IDLE))
      const expiry = (await k.load(value)).expiry?.getTime() ?? 0
      await later(IDLE / 2, async () => {
        const next = await k.change(value, count)
        const moved = ((await k.load(next)).expiry?.getTime() ?? 0) - expiry
        k.assert(
          Math.abs(moved - (IDLE / 2) * 1000) < 60_000,
          'use in the middle extends it by half its idle timeout',
        )
      })
    },
  },
  {
    rules: 'T11',
    title: 'destroySession ends the session, and is fine with one that is absent',
    needs: 'revocation',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 })
      const other = await k.issue({ n: 2 })
      const session = await k.load(value)
      await k.store.destroySession(session)
      k.assert(await k.isGone(value), 'a destroyed session is gone')
      await k.store.destroySession(session)
      await k.store.destroySession(new Session())
      k.assert(!(await k.isGone(other)), 'another session is still there')
    },
  },
  {
    rules: 'S9',
    title: 'what begins after destroy() is a new session, and the old one is dead',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 })
      const session = await k.load(value)
      session.destroy()
      session.set('n', 2)
      const next = await k.store.storeSession(session)
      k.assert(
        typeof next === 'string' && next !== value,
        'the new session has a cookie value of its own',
      )
      k.same(await k.read(next, 'n'), 2, 'the data of the new session')
      if (k.can.revocation) k.assert(await k.isGone(value), 'the old cookie value is dead')
    },
  },
  {
    rules: 'T11',
    title: 'clearStore removes every session',
    needs: 'clear',
    check: async (k: Kit) => {
      const values = [
        await k.issue({ n: 1 }),
        await k.issue({}, (session) => session.signIn('ada')),
      ]
      await k.store.clearStore()
      for (const value of values)
        k.assert(await k.isGone(value), 'a session is gone after clearStore')
      await k.store.clearStore()
    },
  },
  {
    rules: 'T12',
    title: 'a session that is too large is refused, and what was stored before stays',
    needs: 'revocation',
    check: async (k: Kit) => {
      const value = await k.issue({ n: 1 })
      for (const huge of ['x'.repeat(70_000), 'é'.repeat(35_000)]) {
        const code = await k.codeOf(() => k.change(value, (session) => session.set('huge', huge)))
        k.same(code, 'SESSION_TOO_LARGE', 'storing more than 65,536 bytes')
      }
      k.same(await k.read(value, 'n'), 1, 'what was stored before')
    },
  },
  {
    rules: 'T13',
    title: 'every load gives a copy of its own',
    check: async (k: Kit) => {
      const value = await k.issue({ list: [1] })
      const [a, b] = [await k.load(value), await k.load(value)]
      k.assert(a !== b, 'two loads give two sessions')
      a.set('list', [1, 2])
      a.set('more', true)
      k.same(
        [b.get('list'), b.has('more')],
        [[1], false],
        'what another request sees before it is stored',
      )
      k.same(await k.read(value, 'list'), [1], 'what is loaded before it is stored')
    },
  },
  {
    rules: 'T13 S3',
    title: 'every JSON value comes back exactly as it was',
    check: async (k: Kit) => {
      const session = await k.load(await k.issue(AWKWARD))
      for (const [key, value] of Object.entries(AWKWARD))
        k.same(session.get(key), value, 'a value after loading')
      k.same(session.size, Object.keys(AWKWARD).length, 'how many keys there are')
    },
  },
  {
    rules: 'O1',
    title: 'sessionsOf lists the owner’s live sessions, newest first',
    needs: 'owners',
    check: async (k: Kit) => {
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
      k.same(
        listed.map(({ id }) => id),
        ids,
        'the ids, newest first',
      )
      k.assert(
        listed[1]?.expiry instanceof Date && listed[1].createdAt instanceof Date,
        'createdAt and expiry are dates',
      )
      const left = await later(IDLE + 3, async () => (await k.store.sessionsOf?.('ada')) ?? [])
      k.same(left.length, 2, 'how many are listed after one has expired')
    },
  },
  {
    rules: 'O1',
    title: 'destroySessionsOf ends all sessions of an owner but the excepted one',
    needs: 'owners',
    check: async (k: Kit) => {
      const signIn = (session: Session): void => session.signIn('ada')
      const values = [
        await k.issue({}, signIn),
        await k.issue({}, signIn),
        await k.issue({}, signIn),
      ]
      const [first = '', second = '', third = ''] = values
      const bob = await k.issue({}, (session) => session.signIn('bob'))
      const except = await k.load(third)
      k.same(await k.store.destroySessionsOf?.('ada', { except }), 2, 'how many were ended')
      const gone = await Promise.all([first, second, third, bob].map((value) => k.isGone(value)))
      k.same(gone, [true, true, false, false], 'which of ada’s three and bob’s are gone')
      k.same(
        await k.store.destroySessionsOf?.('ada', { except: except.id ?? '' }),
        0,
        'how many more were ended',
      )
      k.same(
        await k.store.destroySessionsOf?.('ada'),
        1,
        'how many were ended without an exception',
      )
      k.same(await k.store.sessionsOf?.('ada'), [], 'what is listed then')
    },
  },
  {
    rules: 'O1',
    title: 'a rotation in flight does not escape destroySessionsOf',
    needs: 'owners',
    check: async (k: Kit) => {
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
    rules: 'O1',
    title: 'destroySessionById ends one session, and only its owner’s',
    needs: 'owners',
    check: async (k: Kit) => {
      const value = await k.issue({}, (session) => session.signIn('ada'))
      const { id = '' } = await k.load(value)
      k.same(await k.store.destroySessionById?.('bob', id), false, 'for another owner')
      k.same(
        await k.store.destroySessionById?.('ada', 'nonsense'),
        false,
        'for something that is no id',
      )
      k.assert(!(await k.isGone(value)), 'the session is still there')
      k.same(await k.store.destroySessionById?.('ada', id), true, 'for its owner')
      k.assert(await k.isGone(value), 'the session is gone')
      k.same(await k.store.destroySessionById?.('ada', id), false, 'for a session that is gone')
    },
  },
  {
    rules: 'O1',
    title: 'owners are told apart to the last bit',
    needs: 'owners',
    check: async (k: Kit) => {
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
        k.same((await k.store.sessionsOf?.(owner))?.length, 1, 'how many sessions an owner has')
      }
      k.same(await k.store.destroySessionsOf?.('ab'), 1, 'how many were ended')
      k.same((await k.store.sessionsOf?.('aB'))?.length, 1, 'how many another owner has left')
    },
  },
]
