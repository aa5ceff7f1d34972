import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import type { SessionEvent } from '../src/index.ts'
import type { StoreCall } from './recorded.ts'
import type { Env } from './visitor.ts'

/** Events as the middleware tells them, and two that can be seen from outside. None holds a cookie value. */
export type Observed = SessionEvent | { type: 'extended' | 'signed-in'; id: string }

/** A cookie without its value. `bytes` are name and value together, which browsers bound at 4,096. */
interface SeenCookie {
  name: string
  bytes: number
}

/** A report on the session of one response, in a header, so that the page can draw what scripts cannot see. */
export interface Report {
  events: Observed[]
  /** The calls of the store, in the order in which they ended. */
  calls: StoreCall[]
  received: SeenCookie | null
  sent: (SeenCookie & { valueBytes: number; attributes: string[] }) | null
}

export const REPORT_HEADER = 'X-Session-Report'

/** The facts of a request, kept until it can be reported. */
export interface Watched {
  events: Observed[]
  calls: StoreCall[]
  /** Undefined if the store failed before there was a session. */
  before?: { id: string | undefined; expiry: Date | undefined; createdAt: Date }
}

/** Goes outside of the session middleware: only when that is done is the cookie there. */
export function reporting(cookieName: string): MiddlewareHandler<Env> {
  return async (c, next) => {
    c.set('events', [])
    c.set('calls', [])
    await next()
    c.res.headers.set(REPORT_HEADER, ascii(JSON.stringify(reportOf(c, cookieName))))
  }
}

/** Goes inside of it: what the session was before the handler. */
export const remember: MiddlewareHandler<Env> = async (c, next) => {
  const { id, expiry, createdAt } = c.var.session
  c.set('before', { id, expiry, createdAt })
  await next()
}

/** A header is ASCII, an owner's name need not be. */
function ascii(json: string): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return json.replace(/[^\x20-\x7e]/g, escaped)
}

function reportOf(c: Context<Env>, cookieName: string): Report {
  const names = [cookieName, `__Host-${cookieName}`]
  const carried = Object.entries(getCookie(c)).find(([name]) => names.includes(name))
  const line = c.res.headers
    .getSetCookie()
    .find((line) => names.some((name) => line.startsWith(`${name}=`)))
  return {
    events: [...c.var.events, ...derived(c.var)],
    calls: c.var.calls,
    received: carried
      ? { name: asInAnApp(carried[0], cookieName), bytes: carried.join('').length }
      : null,
    sent: line === undefined ? null : withoutValue(line, cookieName),
  }
}

/** Happenings without an event: an extension is nothing to log, a sign-in is a `created` or `regenerated`. */
function derived({ session, before, events }: Env['Variables']): Observed[] {
  if (!before) return []
  const { id, owner, expiry, createdAt } = session
  if (id === undefined || events.some(({ type }) => type === 'gone')) return []
  if (id === before.id) {
    const isLater = before.expiry && expiry && expiry > before.expiry
    return isLater ? [{ type: 'extended', id }] : []
  }
  // A rotation alone goes on with the absolute lifetime, a sign-in starts it again.
  const isSignIn = owner !== undefined && (before.id === undefined || createdAt > before.createdAt)
  return isSignIn ? [{ type: 'signed-in', id }] : []
}

/** Here each store has a cookie of its own. In an app it is called `session`, and that is the name to read about. */
function asInAnApp(name: string, cookieName: string): string {
  return name.replace(cookieName, 'session')
}

function withoutValue(line: string, cookieName: string): NonNullable<Report['sent']> {
  const [pair = '', ...attributes] = line.split('; ')
  const [name = '', value = ''] = pair.split(/=(.*)/s)
  const bytes = name.length + value.length
  return { name: asInAnApp(name, cookieName), bytes, valueBytes: value.length, attributes }
}
