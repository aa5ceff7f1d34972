/**
 * @module isolate-session/fetch
 */
export { type FetchContext, type FetchSessionOptions, withSession } from './http/with-session.js'
