/**
 * @module isolate-session/fetch
 */

export { type FetchContext, type FetchSessionOptions, withSession } from './http/with-session.js'
export type { StandardSchemaV1 } from './session/schema.js'
