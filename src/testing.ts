/**
 * For the author of a store: the suite that every store here passes. For the author of an app: sessions and faults in tests.
 *
 * @module isolate-session/testing
 */
export type { AnySession } from './session/session.js'
export type { SessionStore } from './storage/session-store.js'
export { type FaultyMethod, FaultyStore, type Stall } from './testing/faulty-store.js'
export { type SessionCookieOptions, sessionCookie } from './testing/session-cookie.js'
export {
  type StoreCapabilities,
  type StoreContractOptions,
  storeContract,
} from './testing/store-contract.js'
