import type { SessionStore } from '../storage/session-store.ts'
import { LIFECYCLE_RULES } from './rules/lifecycle.ts'
import { OWNER_RULES } from './rules/owners.ts'
import { RACE_RULES } from './rules/races.ts'
import { RECORD_RULES } from './rules/records.ts'
import { VALUE_RULES } from './rules/values.ts'
import { type StoreCapabilities, StoreTest } from './store-test.ts'

export type { StoreCapabilities } from './store-test.ts'

/** The options of `storeContract`. */
export interface StoreContractOptions {
  /** Registers one test with your runner, for example Vitest's `test` or that of `node:test`. */
  readonly test: (title: string, run: () => Promise<void>) => void
  /** Promises that the store does not make, so that they are not tested. */
  readonly capabilities?: StoreCapabilities
}

const CONTRACT = [
  ...VALUE_RULES,
  ...RACE_RULES,
  ...LIFECYCLE_RULES,
  ...RECORD_RULES,
  ...OWNER_RULES,
]

const CAPABILITIES = ['conditionalWrites', 'owners', 'clear', 'revocation'] as const

/**
 * The conformance suite for stores. Every store of this package passes it, and yours should.
 *
 * Each test gets an empty store of its own. A failure begins with the rule that was broken, as `docs/writing-a-store.md`
 * numbers them. Time is moved by faking `Date.now` inside a test; nothing sleeps.
 *
 * @example
 * import { test } from 'vitest'
 * storeContract('MyStore', () => new MyStore(database()), { test })
 */
export function storeContract(
  name: string,
  makeStore: () => SessionStore | Promise<SessionStore>,
  { test, capabilities = {} }: StoreContractOptions,
): void {
  const missing = CAPABILITIES.filter((capability) => capabilities[capability] === false)
  if (missing.length > 0) {
    test(`${name}: not tested, because it cannot: ${missing.join(', ')}`, async () => {
      const { sessionsOf } = await makeStore()
      const contradicts = missing.includes('owners') && sessionsOf !== undefined
      if (contradicts)
        throw new Error('O2: a store that cannot find sessions by owner has no sessionsOf()')
    })
  }
  for (const { rules, title, needs, check } of CONTRACT) {
    if ([needs ?? []].flat().some((capability) => capabilities[capability] === false)) continue
    test(`${name}: ${rules} ${title}`, async () => {
      const store = await makeStore()
      await naming(rules, () => check(new StoreTest(rules, store, capabilities)))
    })
  }
}

/** A store may throw where a check did not expect it: the message is to begin with the rule all the same. */
async function naming(rules: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (message.startsWith(`${rules}: `)) throw error
    throw new Error(`${rules}: the store threw: ${message}`, { cause: error })
  }
}
