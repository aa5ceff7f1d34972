/**
 * For the author of a store: the suite that every store here passes. For the author of an app: sessions and faults in tests.
 *
 * @module isolate-session/testing
 */
export type { AnySession } from './session/session.ts'
export type { SessionStore } from './storage/session-store.ts'
export { type FaultyMethod, FaultyStore, type Stall } from './testing/faulty-store.ts'
export { type SessionCookieOptions, sessionCookie } from './testing/session-cookie.ts'
export {
  type StoreCapabilities,
  type StoreContractOptions,
  storeContract,
} from './testing/store-contract.ts'
