// What goes in comes out. The values are those that careless encodings, columns and collations change.

import { Session } from '../../session/session.ts'
import { count, IDLE, later, type Rule, type StoreTest } from '../store-test.ts'

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

/** What is kept: expiry, size, copies, exactness, removal. */
export const RECORD_RULES: readonly Rule[] = [
  {
    // Backends remove what has expired when they get to it: in minutes, in two days, or never.
    rules: 'T9',
    title: 'an expired session is no session, whether or not the backend has removed it',
    check: async (k: StoreTest) => {
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
    // Seconds instead of milliseconds, 32-bit integers and dates as strings all lose something here.
    rules: 'T15',
    title: 'an expiry as far away as a date can be is kept to the millisecond',
    check: async (k: StoreTest) => {
      const farAway = ['9999-12-31', '+275760-09-13'].map((date) => new Date(date))
      for (const expiry of farAway) {
        const value = await k.issue({ n: 1 }, (session) => {
          session.signIn('ada')
          session.setExpiry(expiry)
        })
        const next = await k.change(value, count)
        const after = await k.load(next)
        k.equal([after.expiry, after.get('n')], [expiry, 2], 'the expiry and the data')
      }
      const soon = await k.issue({}, (session) => session.expireIn(IDLE))
      const next = await k.change(soon, (session) => session.expireIn(100 * 365 * 86_400))
      await later(99 * 365 * 86_400, async () => {
        k.assert(!(await k.isGone(next)), 'a session of a hundred years is there after 99')
      })
    },
  },
  {
    // Two tabs may sign out at once. The second has reached what it wanted.
    rules: 'T11',
    title: 'destroySession ends the session, and is fine with one that is absent',
    needs: 'revocation',
    check: async (k: StoreTest) => {
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
    // For tests, and for the day on which a secret has leaked.
    rules: 'T11',
    title: 'clearStore removes every session',
    needs: 'clear',
    check: async (k: StoreTest) => {
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
    // Refused before anything is written: a backend that truncates would leave a session that cannot be read.
    rules: 'T12',
    title: 'a session that is too large is refused, and what was stored before stays',
    needs: 'revocation',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 })
      for (const huge of ['x'.repeat(70_000), 'é'.repeat(35_000)]) {
        const code = await k.codeOf(() => k.change(value, (session) => session.set('huge', huge)))
        k.equal(code, 'SESSION_TOO_LARGE', 'storing more than 65,536 bytes')
      }
      k.equal(await k.read(value, 'n'), 1, 'what was stored before')
    },
  },
  {
    // A store that hands out what it keeps lets one request see, and lose, what another is in the middle of.
    rules: 'T13',
    title: 'every load gives a copy of its own',
    check: async (k: StoreTest) => {
      const value = await k.issue({ list: [1] })
      const [a, b] = [await k.load(value), await k.load(value)]
      k.assert(a !== b, 'two loads give two sessions')
      a.set('list', [1, 2])
      a.set('more', true)
      k.equal(
        [b.get('list'), b.has('more')],
        [[1], false],
        'what another request sees before it is stored',
      )
      k.equal(await k.read(value, 'list'), [1], 'what is loaded before it is stored')
    },
  },
  {
    // Quotes, control characters, lone surrogates, and strings that look like something else.
    rules: 'T13 S3',
    title: 'every JSON value comes back exactly as it was',
    check: async (k: StoreTest) => {
      const session = await k.load(await k.issue(AWKWARD))
      for (const [key, value] of Object.entries(AWKWARD))
        k.equal(session.get(key), value, 'a value after loading')
      k.equal(session.size, Object.keys(AWKWARD).length, 'how many keys there are')
    },
  },
]
