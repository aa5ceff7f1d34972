// One request after the other. Time is moved by replacing `Date.now` (`later`), so a store has to ask it and nothing else: no
// timers, and no clock of the backend where the answer would differ.

import type { Session } from '../../session/session.ts'
import { count, HOUR, IDLE, later, type Rule, type StoreTest } from '../store-test.ts'

/** What a session may do in its life, as far as a store takes part. */
export const LIFECYCLE_RULES: readonly Rule[] = [
  {
    // The old value is dead at once: somebody who has stolen it, or planted it, has nothing.
    rules: 'T8 S7',
    title: 'regenerate moves everything to a new value, and the old one is dead',
    check: async (k: StoreTest) => {
      const value = await k.issue({ cart: ['tea'], n: 1 })
      const before = await k.load(value)
      const created = before.createdAt.getTime()
      before.regenerate()
      count(before)
      const next = await k.store.storeSession(before)
      k.assert(typeof next === 'string' && next !== value, 'regenerate gives a new cookie value')
      const after = await k.load(next)
      k.equal([after.get('cart'), after.get('n')], [['tea'], 2], 'the data under the new value')
      k.equal(after.createdAt.getTime(), created, 'the start of the absolute lifetime')
      k.equal(before.id, after.id, 'the id that the request sees after storing')
      if (k.can.revocation) k.assert(await k.isGone(value), 'the old cookie value is dead')
    },
  },
  {
    rules: 'S7',
    title:
      'regenerate keeps only the keys in `keep`, and calling it twice has the effect of one call',
    check: async (k: StoreTest) => {
      const value = await k.issue({ cart: 1, secret: 2 })
      const next = await k.change(value, (session) => {
        session.regenerate()
        session.regenerate({ keep: ['cart'] })
        session.set('later', 3)
      })
      const after = await k.load(next)
      k.equal([...after.keys()].sort(), ['cart', 'later'], 'the keys that are left')
    },
  },
  {
    // Session fixation: what was there before the sign-in may be an attacker's, so nothing of it stays.
    rules: 'S8',
    title: 'signIn gives a new value, an owner, a new absolute lifetime and none of the data',
    check: async (k: StoreTest) => {
      const value = await k.issue({ cart: 1, isAdmin: true })
      await later(HOUR, async () => {
        const session = await k.load(value)
        const created = session.createdAt.getTime()
        session.signIn('ada', { keep: ['cart'] })
        const next = await k.store.storeSession(session)
        k.assert(typeof next === 'string' && next !== value, 'signIn gives a new cookie value')
        const after = await k.load(next)
        k.equal([...after.keys()], ['cart'], 'the keys that are left')
        k.equal(after.owner, 'ada', 'the owner')
        k.assert(after.createdAt.getTime() > created, 'the absolute lifetime starts again')
        if (k.can.revocation) k.assert(await k.isGone(value), 'the old cookie value is dead')
      })
    },
  },
  {
    // The visitor has just authenticated. That their anonymous session has expired meanwhile is no reason to refuse them.
    rules: 'S8',
    title: 'signIn stands although the session it came from is gone',
    needs: 'revocation',
    check: async (k: StoreTest) => {
      const both = await k.twoRequests(await k.issue({ n: 1 }))
      if (!both) return
      const [slow, fast] = both
      await k.store.destroySession(fast)
      slow.signIn('ada')
      const next = (await k.store.storeSession(slow)) ?? ''
      k.equal((await k.load(next)).owner, 'ada', 'the owner of the fresh session')
    },
  },
  {
    // Taking it is a write, although the handler only reads.
    rules: 'S6',
    title: 'a flash is kept until it is read, and then gone',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 }, (session) => session.flash('notice', { text: 'Saved' }))
      const waiting = await k.load(value)
      k.equal(
        [waiting.has('notice'), waiting.size, [...waiting.keys()]],
        [true, 1, ['n']],
        'has, size and keys',
      )
      const next = await k.change(value, (session) => {
        k.equal(session.get('notice'), { text: 'Saved' }, 'the flash')
        k.equal(session.get('notice'), undefined, 'the flash, read again')
      })
      k.equal(await k.read(next, 'notice'), undefined, 'the flash in a later request')
    },
  },
  {
    // Two tabs: one reads the old message while a request of the other leaves a new one under the same key.
    rules: 'S6',
    title: 'reading one flash does not remove a newer one',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      const value = await k.issue({}, (session) => session.flash('notice', 'old'))
      const both = await k.twoRequests(value)
      if (!both) return
      const [reader, writer] = both
      reader.get('notice')
      writer.flash('notice', 'new')
      await k.store.storeSession(writer)
      await k.store.storeSession(reader)
      k.equal(await k.read(value, 'notice'), 'new', 'the newer flash')
    },
  },
  {
    // A store that keeps the expiry beside the record may round it, or forget it at the next write.
    rules: 'S10',
    title: 'the expiry and the own idle timeout of a session are remembered',
    check: async (k: StoreTest) => {
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
    // A sign-out with a notice ("Signed out") is both in one request: the old record goes, a new one comes.
    rules: 'S9',
    title: 'what begins after destroy() is a new session, and the old one is dead',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 })
      const session = await k.load(value)
      session.destroy()
      session.set('n', 2)
      const next = await k.store.storeSession(session)
      k.assert(
        typeof next === 'string' && next !== value,
        'the new session has a cookie value of its own',
      )
      k.equal(await k.read(next, 'n'), 2, 'the data of the new session')
      if (k.can.revocation) k.assert(await k.isGone(value), 'the old cookie value is dead')
    },
  },
  {
    // For a stream or a WebSocket, which lives longer than what it has loaded.
    rules: 'S14',
    title: 'reloadSession shows what is stored now, with the unsaved changes on top',
    needs: 'conditionalWrites',
    check: async (k: StoreTest) => {
      const both = await k.twoRequests(await k.issue({ n: 1, kept: true }))
      if (!both || !k.store.reloadSession) return
      const [mine, other] = both
      mine.set('mine', 1)
      count(mine)
      count(other)
      other.delete('kept')
      other.expireIn(IDLE)
      await k.store.storeSession(other)
      k.equal(await k.store.reloadSession(mine), true, 'what reloadSession gives')
      const shown = [mine.get('n'), mine.get('kept'), mine.get('mine'), mine.expiry]
      k.equal(shown, [3, undefined, 1, other.expiry], 'what the session shows')
      await k.store.storeSession(mine)
      k.equal(mine.get('n'), 3, 'the counter after storing')
    },
  },
  ...endings(),
]

const ENDINGS: Record<string, (k: StoreTest, other: Session) => Promise<unknown>> = {
  destroyed: (k, other) => k.store.destroySession(other),
  revoked: async (k) => k.store.destroySessionsOf?.('ada'),
  rotated: (k, other) => {
    other.regenerate()
    return k.store.storeSession(other)
  },
}

function endings(): Rule[] {
  return ['destroyed', 'revoked', 'rotated', 'expired'].map((how) => ({
    // A connection that is still open learns of a sign-out by this.
    rules: 'S14',
    title: `reloadSession says that a session was ${how}`,
    needs: how === 'revoked' ? ['owners', 'conditionalWrites'] : 'conditionalWrites',
    check: async (k: StoreTest) => {
      const value = await k.issue({ n: 1 }, (session) => {
        session.signIn('ada')
        session.expireIn(IDLE)
      })
      const both = await k.twoRequests(value)
      if (!both || !k.store.reloadSession) return
      const [mine, other] = both
      const reload = async () => k.store.reloadSession?.(mine)
      k.equal(await reload(), true, 'what it says before')
      await ENDINGS[how]?.(k, other)
      const after = how === 'expired' ? await later(IDLE, reload) : await reload()
      k.equal(after, false, 'what it says afterwards')
    },
  }))
}
