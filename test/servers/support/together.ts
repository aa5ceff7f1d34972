import { expect, test } from 'vitest'
import { type KeyedStore, Session } from '../../../src/index.ts'
import { count } from '../../../src/testing/store-test.ts'

/** Writers at once, each with a connection of its own. */
const WRITERS = 200

/** A store, whose client nobody else has. */
export type Open = () => Promise<{
  store: KeyedStore & { migrate?(): Promise<void> }
  close: () => Promise<unknown>
}>

/** Many connections that write to one session. */
export function separately(name: string, open: Open): void {
  test(`${name}: ${WRITERS} updates at once from separate connections end at ${WRITERS}`, async () => {
    const first = await open()
    await first.store.migrate?.()
    const session = new Session<{ n: number }>()
    session.set('n', 0)
    const value = (await first.store.storeSession(session)) ?? expect.fail('no value')
    const writers = await Promise.all(Array.from({ length: WRITERS }, open))
    try {
      const loaded = await Promise.all(
        writers.map(async ({ store }) => (await store.loadSession(value)) ?? expect.fail()),
      )
      for (const each of loaded) count(each)
      await Promise.all(writers.map(({ store }, i) => store.storeSession(loaded[i] as Session)))
      const after = await first.store.loadSession(value)
      expect(after?.get('n')).toBe(WRITERS)
    } finally {
      await Promise.all([first, ...writers].map(({ close }) => close()))
    }
  })
}
