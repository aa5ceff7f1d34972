// A change is a function and not a value, because it may have to be applied again: to what another request has stored
// meanwhile. That is how requests at the same time lose nothing of each other. See docs/decisions/01-change-list.md.

import type { SessionContent } from './session-content.ts'

/** Why a session gets a new cookie value: `regenerate()` or `signIn()` was called. */
export type Rotation = 'regenerate' | 'signIn'

/** One thing a handler did. It is applied at once, and again to the latest content if another request was faster. */
export interface Change {
  /** The key it is about; `ALL_KEYS` for every key, `NO_KEY` for none. */
  readonly key: string | symbol
  /** It moves the expiry even when no extension is due. */
  readonly movesExpiry?: boolean
  /** A session that is stored gets a new cookie value with it. */
  readonly rotation?: Rotation
  apply(content: SessionContent): void
}

/** The key of a change that concerns every key, such as `clear()`. */
export const ALL_KEYS: symbol = Symbol('all keys')
/** The key of a change that concerns no data, such as `expireIn()`. */
export const NO_KEY: symbol = Symbol('no key')

/** Is one of them about data, and not only about the expiry or the owner? */
export function changeData(changes: readonly Change[]): boolean {
  return changes.some(({ key }) => key !== NO_KEY)
}
