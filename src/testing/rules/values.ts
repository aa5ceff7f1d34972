// The cookie value is all that a visitor has, and all that an attacker can send. None of these rules needs a second request.

import { idOf, isValueShaped } from '../../crypto/values.ts'
import { count, type Rule, type StoreTest, withRepeatedRandomness } from '../store-test.ts'

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

/** Cookie values and ids: what is issued, what is taken, what is found under it. */
export const VALUE_RULES: readonly Rule[] = [
  {
    // Session fixation: a visitor must not be able to choose their value.
    rules: 'T1',
    title: 'a value that nobody issued is no session',
    check: async (k: StoreTest) => {
      k.assert(await k.isGone('A'.repeat(43)), 'loadSession gives undefined for an unknown value')
    },
  },
  {
    // Whatever somebody puts into the cookie. An error would be a way to fill the logs, or to find out about the backend.
    rules: 'T1',
    title: 'a malformed value is no session, never an error',
    check: async (k: StoreTest) => {
      for (const value of MALFORMED) {
        const outcome = await k.codeOf(async () => {
          k.assert(await k.isGone(value), 'loadSession gives undefined for a malformed value')
        })
        k.equal(outcome, 'no error', `loading a malformed value of ${value.length} characters`)
      }
    },
  },
  {
    // Asked before every load, so that a value which cannot be one costs no call of the backend.
    rules: 'T1',
    title: 'isWellFormed takes what the store issues and nothing else',
    check: async (k: StoreTest) => {
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
    // The least that a store has to do.
    rules: 'T2',
    title: 'a new session gets a cookie value, and is found under it',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 })
      k.equal(await k.read(value, 'n'), 1, 'what was stored')
    },
  },
  {
    // Another value with every write would sign out the tab that has sent its request before.
    rules: 'T2',
    title: 'an update keeps the cookie value and gives none',
    needs: 'revocation',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 })
      const session = await k.load(value)
      session.set('n', 2)
      const given = await k.store.storeSession(session)
      const isSame =
        given === undefined || (given.includes('.') && secretOf(given) === secretOf(value))
      k.assert(isSame, 'storeSession gives no other value for an unchanged id')
      k.equal(await k.read(given ?? value, 'n'), 2, 'what was stored')
    },
  },
  {
    // A sign-in may be all there is to remember.
    rules: 'T2',
    title: 'a session without data is stored as well',
    check: async (k: StoreTest) => {
      const session = await k.load(await k.issue())
      k.equal(
        [session.size, session.isNew, session.dataChanged],
        [0, false, false],
        'size, isNew, dataChanged',
      )
    },
  },
  {
    // Ids are in logs and in the backend. Whoever reads them must not be able to sign in with them.
    rules: 'T3',
    title: 'the id is the hash of the cookie value, and no cookie value itself',
    needs: 'revocation',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 })
      const { id = '' } = await k.load(value)
      k.equal(id, await idOf(secretOf(value)), 'the id of a session')
      k.assert(await k.isGone(id), 'the id of a session, used as a cookie value, is no session')
    },
  },
  {
    // It is what logs and lists of devices name a session by.
    rules: 'T3',
    title: 'the id stays the same as long as the session is not rotated',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 })
      const { id = '' } = await k.load(value)
      k.assert(isValueShaped(id), 'the id is 43 characters of base64url')
      const next = await k.change(value, count)
      k.equal((await k.load(next)).id, id, 'the id after a change')
    },
  },
  {
    // 32 random bytes. A second spelling of the same bytes would be a second cookie for one session.
    rules: 'T4',
    title: 'cookie values are 43 characters of base64url, each its own, in one spelling only',
    needs: 'revocation',
    check: async (k: StoreTest) => {
      const values = await Promise.all(Array.from({ length: 20 }, () => k.issue()))
      k.equal(new Set(values).size, 20, 'how many of 20 cookie values differ')
      for (const value of values) {
        k.assert(
          isValueShaped(secretOf(value)),
          'a cookie value is 43 characters of canonical base64url',
        )
        const last = value.charCodeAt(42)
        for (const step of [1, 2, 3]) {
          const other = String.fromCharCode(last + step)
          const respelled = value.slice(0, 42) + other + value.slice(43)
          const gone = await k.isGone(respelled).catch(() => true) // T1 reports an error
          k.assert(gone, 'another spelling of the last character is no session')
        }
      }
    },
  },
  {
    // With random numbers that repeat, a new visitor would be given somebody else's session.
    rules: 'T5',
    title: 'an insert never overwrites: a taken id is tried again with a new value',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      let first = ''
      const second = await withRepeatedRandomness(
        async () => {
          first = await k.issue({ who: 'first' })
        },
        () => k.issue({ who: 'second' }),
      )
      k.equal(await k.read(first, 'who'), 'first', 'the session that was there')
      k.equal(await k.read(second, 'who'), 'second', 'the session that came later')
    },
  },
]

/** What nobody can guess of a value: a store may keep something for its next read behind it, after a dot. */
function secretOf(value: string): string {
  return value.split('.', 1)[0] ?? ''
}
