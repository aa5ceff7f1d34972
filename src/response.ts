import type { Context } from 'hono'

/** A directive, with its argument if it has one (RFC 9111, section 5.2). */
const DIRECTIVE = /([^\s,="]+)(\s*=\s*(?:"[^"]*"|[^\s,"]*))?/g

/** Where handlers address shared caches beside `Cache-Control` (RFC 9213, and Cloudflare's own). */
const SHARED_CACHE_HEADERS = ['CDN-Cache-Control', 'Cloudflare-CDN-Cache-Control']

/** Marks the response as one that depends on who asks, and adds the session's cookie if there is one to send. */
export function personalize(c: Context, cookie: string | undefined): void {
  try {
    mark(c.res.headers, cookie)
  } catch (error) {
    // Headers that cannot be changed (`fetch`, `Response.redirect`) say so at the first change, with nothing done.
    if (!(error instanceof TypeError)) throw error
    const copy = new Response(c.res.body, c.res) // keeps a `webSocket`
    c.res = undefined // or Hono would merge the two
    c.res = copy
    mark(copy.headers, cookie)
  }
}

function mark(headers: Headers, cookie: string | undefined): void {
  if (cookie !== undefined) appendCookie(headers, cookie)
  keepFromSharedCaches(headers, cookie !== undefined)
}

/**
 * Keeps a response that depends on the session out of shared caches.
 *
 * Cloudflare caches a response without `Cache-Control` and does not look at `Vary` or the request's cookie
 * (https://developers.cloudflare.com/cache/concepts/cache-behavior/), so one visitor's page would be shown to the next.
 */
function keepFromSharedCaches(headers: Headers, setsCookie: boolean): void {
  const vary = headers.get('Vary')
  if (vary === null) headers.set('Vary', 'Cookie')
  else if (!/(^|,)\s*(\*|cookie)\s*(,|$)/i.test(vary)) headers.set('Vary', `${vary}, Cookie`)
  const asked = headers.get('Cache-Control')
  const needed = setsCookie ? noStore(asked) : privately(asked)
  if (needed !== asked) headers.set('Cache-Control', needed)
  for (const name of SHARED_CACHE_HEADERS) if (headers.has(name)) headers.delete(name)
}

function noStore(asked: string | null): string {
  const kept = asked === null ? [] : unshared(asked)
  return kept.some(([name]) => name === 'no-store') ? text(kept) : 'no-store'
}

function privately(asked: string | null): string {
  if (asked === null) return 'private'
  const kept = unshared(asked)
  const strict = kept.some(([name]) => name === 'no-store' || name === 'private')
  return strict ? text(kept) : text([['private', 'private'], ...kept])
}

/** What was asked for, without what lets shared caches in. A `private` or `no-cache` for some fields only does. */
function unshared(asked: string): [name: string, directive: string][] {
  return [...asked.matchAll(DIRECTIVE)].flatMap(([directive, written = '', argument]) => {
    const name = written.toLowerCase()
    const shares = name === 'public' || name === 's-maxage'
    const qualified = argument !== undefined && (name === 'private' || name === 'no-cache')
    return shares || qualified ? [] : [[name, directive]]
  })
}

function text(directives: [name: string, directive: string][]): string {
  return directives.map(([, directive]) => directive).join(', ')
}

/** One line for our name: an inner app mounted with the same middleware may have set its own. */
function appendCookie(headers: Headers, line: string): void {
  const name = line.slice(0, line.indexOf('=') + 1)
  const others = headers.getSetCookie()
  if (others.some((other) => other.startsWith(name))) {
    headers.delete('Set-Cookie')
    for (const other of others) if (!other.startsWith(name)) headers.append('Set-Cookie', other)
  }
  headers.append('Set-Cookie', line)
}
