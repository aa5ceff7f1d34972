// D1 answers reads from a replica that may be behind. Its bookmark says how far a visitor has seen; it travels in the cookie.

import { isValueShaped } from '../../crypto/values.ts'
import type { AnySession } from '../../session/session.ts'

/** Accepts every bookmark of D1, and more, because its form is not documented; and nothing that would do harm in a cookie. */
const BOOKMARK = /^[\w-]{1,256}$/

/** The cookie value of a session without its bookmark. Sessions of a request, so nothing outlives it. */
const values = new WeakMap<AnySession, string>()

/** Is it of the form that D1 gives? It comes back in a cookie, so it may be anything. */
export function isBookmark(bookmark: unknown): bookmark is string {
  return typeof bookmark === 'string' && BOOKMARK.test(bookmark)
}

/** A value with or without a bookmark behind it. */
export function isMarkedValue(cookieValue: unknown): cookieValue is string {
  if (typeof cookieValue !== 'string') return false
  const { value, bookmark } = split(cookieValue)
  return isValueShaped(value) && (bookmark === undefined || isBookmark(bookmark))
}

/** The cookie value, and the bookmark behind it if there is one. */
export function split(cookieValue: string): { value: string; bookmark: string | undefined } {
  const dot = cookieValue.indexOf('.')
  if (dot === -1) return { value: cookieValue, bookmark: undefined }
  return { value: cookieValue.slice(0, dot), bookmark: cookieValue.slice(dot + 1) }
}

/** The cookie value. */
export function join(value: string, bookmark: string): string {
  return `${value}.${bookmark}`
}

/** Remembers under which value it was loaded: a write gives it again, with another bookmark. */
export function noted(session: AnySession | undefined, value: string): AnySession | undefined {
  if (session) values.set(session, value)
  return session
}

/** The value that a session has from now on; `undefined` if nobody knows it. */
export function noteValue(session: AnySession, value: string | undefined): string | undefined {
  if (value !== undefined) values.set(session, value)
  return values.get(session)
}
