// The headers of a response that depends on a session. The app's own are kept as far as they are safe; those that invite shared
// caches are overridden, because a page that is cached for everybody is worse than one that is not cached.

/** A directive, with its argument if it has one (RFC 9111, section 5.2). */
const DIRECTIVE = /([^\s,="]+)(\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,"]*))?/g

/** A quoted argument. */
const QUOTED = /"(?:[^"\\]|\\.)*"/g

/** Where handlers address shared caches beside `Cache-Control` (RFC 9213, and Cloudflare's own). */
const CDN_CACHE_CONTROL = 'CDN-Cache-Control'
const CLOUDFLARE_CACHE_CONTROL = 'Cloudflare-CDN-Cache-Control'

/** A `Set-Cookie` header to send. */
export interface CookieLine {
  readonly line: string
  /** It tells the browser nothing new about the session: it was only extended, signed anew, or never was one. */
  readonly isWeak: boolean
}

/**
 * The response as it may go out: kept out of shared caches, because it depends on who asks, and with the session's cookie
 * if there is one to send.
 *
 * An app may keep a `Response` and return it to the next visitor as well. So a response is never changed in place: it is copied,
 * or returned unchanged if it already says everything. The copy keeps a `webSocket` and an encoded body.
 */
export function personalize(response: Response, cookie: CookieLine | undefined): Response {
  const { headers } = response
  const asked = headers.get('Cache-Control')
  const needed = cookie ? noStore(asked) : privately(asked)
  const vary = varyByCookie(headers.get('Vary'))
  const isShared = headers.has(CDN_CACHE_CONTROL) || headers.has(CLOUDFLARE_CACHE_CONTROL)
  const others = cookie && otherCookies(headers, cookie)
  if (needed === asked && vary === undefined && !isShared && !others) return response
  const result = new Response(response.body, response)
  const target = result.headers
  if (cookie && others) setCookies(target, [...others, cookie.line])
  if (vary !== undefined) target.set('Vary', vary)
  if (needed !== asked) target.set('Cache-Control', needed)
  if (isShared) {
    target.delete(CDN_CACHE_CONTROL)
    target.delete(CLOUDFLARE_CACHE_CONTROL)
  }
  return result
}

/** The value that `Vary` needs, or `undefined` if it already says enough. */
export function varyByCookie(vary: string | null): string | undefined {
  if (vary === null) return 'Cookie'
  if (vary === 'Cookie') return undefined
  return /(^|,)\s*(\*|cookie)\s*(,|$)/i.test(vary) ? undefined : `${vary}, Cookie`
}

/** `Cache-Control` for a response that carries a cookie. */
export function noStore(asked: string | null): string {
  if (asked === null || asked === 'private' || asked === 'no-store') return 'no-store'
  const kept = unshared(asked)
  return kept.some(([name]) => name === 'no-store') ? join(kept) : 'no-store'
}

/** `Cache-Control` for a response that depends on the session. */
export function privately(asked: string | null): string {
  // The usual cases, without parsing.
  if (asked === null || asked === 'private') return 'private'
  const kept = unshared(asked)
  const isStrict = kept.some(([name]) => name === 'no-store' || name === 'private')
  return isStrict ? join(kept) : join([['private', 'private'], ...kept])
}

/**
 * The directives that were asked for, without those that let shared caches in: `public`, `s-maxage`, a `private`, `no-cache`
 * or `no-store` that has an argument, and `must-understand`, which makes a cache ignore `no-store` (RFC 9111, section 5.2.2.3).
 */
function unshared(asked: string): [name: string, directive: string][] {
  // A quote without its counterpart: nobody knows where the arguments end.
  if (asked.replaceAll(QUOTED, '').includes('"')) return []
  return [...asked.matchAll(DIRECTIVE)].flatMap(([directive, written = '', argument]) => {
    const name = written.toLowerCase()
    const isShared = name === 'public' || name === 's-maxage' || name === 'must-understand'
    const isPartial = argument !== undefined && ['private', 'no-cache', 'no-store'].includes(name)
    return isShared || isPartial ? [] : [[name, directive]]
  })
}

function join(directives: [name: string, directive: string][]): string {
  return directives.map(([, directive]) => directive).join(', ')
}

/**
 * The cookies that stay beside ours; `undefined`: ours does not go out. An app mounted in an app, or a Worker behind a Worker,
 * may have set a cookie of the same name, path and domain: that one goes, unless ours says nothing new. One with another
 * path or domain is another cookie (RFC 6265, section 5.3).
 */
function otherCookies(headers: Headers, { line, isWeak }: CookieLine): string[] | undefined {
  const cookies = headers.getSetCookie()
  if (cookies.length === 0) return cookies
  const identity = identityOf(line)
  const others = cookies.filter((other) => identityOf(other) !== identity)
  return isWeak && others.length < cookies.length ? undefined : others
}

/** By what a browser tells one cookie from another. */
function identityOf(line: string): string {
  const [pair = '', ...attributes] = line.split(';')
  const name = pair.slice(0, pair.indexOf('=')).trim()
  return JSON.stringify([name, attribute(attributes, 'path'), attribute(attributes, 'domain')])
}

/** The value of an attribute; of several the last one counts. */
function attribute(attributes: readonly string[], name: string): string {
  let found = ''
  for (const attribute of attributes) {
    const [key = '', value = ''] = attribute.split(/=(.*)/s)
    if (key.trim().toLowerCase() === name) found = value.trim()
  }
  return name === 'domain' ? found.replace(/^\./, '').toLowerCase() : found
}

/** `Headers` cannot replace one of several `Set-Cookie` lines, so all are written anew. */
function setCookies(headers: Headers, lines: readonly string[]): void {
  headers.delete('Set-Cookie')
  for (const line of lines) headers.append('Set-Cookie', line)
}

/** Is the body still being written while it goes out? */
export function isStreamed({ headers }: Response): boolean {
  return (
    /\bchunked\b/i.test(headers.get('Transfer-Encoding') ?? '') ||
    /^\s*text\/event-stream\b/i.test(headers.get('Content-Type') ?? '')
  )
}
