// Cookies are read and written by hand. A general parser decodes values, forgives malformed pairs and takes the first of two
// with one name: each of that is something an attacker on a sibling domain can use.

import { SessionError } from '../errors.ts'
import { checkOptions } from '../options/check-options.ts'

/** The attributes of the session's cookie. `HttpOnly` is always set. */
export interface CookieOptions {
  /** Default `'/'`. The browser sends the cookie for this path and those below. A new one needs a new `name`. */
  readonly path?: string
  /**
   * A host name, which stands for its subdomains as well. Default none: the cookie belongs to this host alone. A new one needs
   * a new `name`.
   */
  readonly domain?: string
  /** Default `'Lax'`. `'None'` needs Secure. Upper and lower case are the same. */
  readonly sameSite?: 'Lax' | 'Strict' | 'None' | 'lax' | 'strict' | 'none'
  /** Default `'auto'`: Secure, except for plain http to a loopback host. */
  readonly secure?: boolean | 'auto'
  /** Default false. A cookie of its own for every top-level site (CHIPS). Needs Secure. */
  readonly partitioned?: boolean
  /** Default true: `Max-Age` is what is left of the session. False: the browser forgets it when it closes. */
  readonly persistent?: boolean
}

/** Name and value together; a browser drops a larger cookie (RFC 6265bis, section 5.6). */
const MAX_COOKIE_BYTES = 4096

/** 400 days, the longest a browser keeps a cookie (RFC 6265bis, section 5.5). */
const MAX_AGE = 34_560_000

/** A token of RFC 9110, section 5.6.2: what a cookie name may be. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Any octet of RFC 6265bis's path-value: no control character, no semicolon, nothing beyond ASCII. */
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/

/** Browsers ignore a longer attribute (RFC 6265bis, section 5.6). */
const MAX_PATH_LENGTH = 1024

/**
 * A host name. With an underscore, which DNS takes; without a dot at the end, with which browsers drop the cookie. An IPv4
 * address passes: for the host itself browsers take it.
 */
const DOMAIN = /^\.?[\w-]+(\.[\w-]+)*$/

/** RFC 1035, section 2.3.4. */
const MAX_DOMAIN_LENGTH = 253

/** `Request.url` is normalized: lower case, IPv4 in four decimal parts. RFC 6761, section 6.3, for `*.localhost`. */
const LOOPBACK =
  /^https?:\/\/(?:(?:[^/?#]+\.)?localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?(?:[/?#]|$)/

/** Browsers treat these hosts as secure, also over plain http (W3C Secure Contexts, section 3.1). */
export function isLoopback(url: string): boolean {
  return LOOPBACK.test(url)
}

/** A cookie under our name: its value, or that there are several that differ. */
export type FoundCookie = string | typeof AMBIGUOUS | undefined

/** A browser sends two cookies of one name if they differ in path or domain. One of them may have been planted. */
export const AMBIGUOUS: unique symbol = Symbol('several different values')

/**
 * Every name the cookie may have, depending on its options and the request's URL. For those who make a cookie without a
 * request.
 */
export function cookieNames(name: string): string[] {
  return [name, `__Host-${name}`, `__Secure-${name}`]
}

/** The session's cookie: its name, how it is read, written and removed. Options are checked here, not at the first request. */
export class SessionCookie {
  readonly #name: string
  readonly #path: string
  readonly #secure: boolean | 'auto'
  readonly #persistent: boolean
  readonly #hostOnly: boolean
  readonly #attributes: string

  /** @throws TypeError for options that do not exist, contradict each other or could not be written into a header. */
  constructor(name: string, options?: CookieOptions) {
    const {
      path = '/',
      domain,
      sameSite: policy = 'Lax',
      secure = 'auto',
      partitioned = false,
      persistent = true,
    } = checkOptions('cookie', options)
    const sameSite = `${policy.charAt(0).toUpperCase()}${policy.slice(1).toLowerCase()}`
    check(TOKEN.test(name), 'name must be letters, digits and the marks a cookie name may have')
    check(
      !name.startsWith('__'),
      'name must not begin with "__": the prefixes __Host- and __Secure- are added when the cookie allows it',
    )
    check(
      PATH.test(path) && path.length <= MAX_PATH_LENGTH,
      `cookie.path must begin with "/", have neither ";" nor control or non-ASCII characters, and at most ${MAX_PATH_LENGTH} of them`,
    )
    check(
      domain === undefined || (DOMAIN.test(domain) && domain.length <= MAX_DOMAIN_LENGTH),
      'cookie.domain must be a host name such as "example.com", which includes its subdomains: no "https://", no port, no path, no "*", no dot at the end. For one host only, leave it out',
    )
    check(
      sameSite !== 'None' || secure,
      "cookie.sameSite 'None' needs cookie.secure: browsers drop it otherwise",
    )
    check(
      !partitioned || secure,
      'cookie.partitioned needs cookie.secure: browsers drop it otherwise',
    )
    this.#name = name
    this.#path = path
    // On loopback too: without Secure the browser would drop such a cookie, with it most take it there.
    this.#secure = sameSite === 'None' || partitioned ? true : secure
    this.#persistent = persistent
    this.#hostOnly = path === '/' && domain === undefined
    this.#attributes =
      `; Path=${path}${domain === undefined ? '' : `; Domain=${domain}`}` +
      `; HttpOnly; SameSite=${sameSite}${partitioned ? '; Partitioned' : ''}`
  }

  /** Does the cookie get the `Secure` attribute there? With `'auto'` everywhere but over plain http to a loopback host. */
  isSecure(url: string): boolean {
    return this.#secure === 'auto' ? url.startsWith('https:') || !isLoopback(url) : this.#secure
  }

  /** RFC 6265bis, section 4.1.3: the browser itself holds a prefixed cookie to what the prefix says. */
  nameFor(url: string): string {
    if (!this.isSecure(url)) return this.#name
    return `${this.#hostOnly ? '__Host-' : '__Secure-'}${this.#name}`
  }

  /** The value under our name in a `Cookie` header; one that comes twice and differs is believed in neither form. */
  read(header: string, url: string): FoundCookie {
    const prefix = `${this.nameFor(url)}=`
    let found: string | undefined
    // One pass; nothing is decoded, names are compared byte for byte.
    for (let at = header.indexOf(prefix); at !== -1; at = header.indexOf(prefix, at + 1)) {
      const before = trimEnd(header, 0, at)
      if (before > 0 && header[before - 1] !== ';') continue // in another cookie's name or value
      const start = at + prefix.length
      const semicolon = header.indexOf(';', start)
      const end = semicolon === -1 ? header.length : semicolon
      const value = header.slice(start, trimEnd(header, start, end))
      if (found !== undefined && found !== value) return AMBIGUOUS
      found = value
    }
    return found
  }

  /** @throws SessionError `SESSION_TOO_LARGE` if browsers would drop a cookie with this value. */
  assertFits(value: string, url: string): void {
    if (this.nameFor(url).length + value.length <= MAX_COOKIE_BYTES) return
    throw new SessionError(
      'SESSION_TOO_LARGE',
      `The cookie would exceed the ${MAX_COOKIE_BYTES} bytes that browsers take, and was not sent. Keep less in the session, or use a store that keeps it on the server.`,
    )
  }

  /** Will the browser send the cookie back to this URL? Path matching as in RFC 6265, section 5.1.4. */
  comesBackTo(url: string): boolean {
    const path = this.#path
    if (path === '/') return true
    const { pathname } = new URL(url)
    return (
      pathname.startsWith(path) &&
      (path.endsWith('/') || /^(\/|$)/.test(pathname.slice(path.length)))
    )
  }

  /** A `Set-Cookie` line. `maxAge` in seconds; `null` for as long as a browser keeps it. `persistent`: the session's own choice. */
  write(value: string, maxAge: number | null, url: string, persistent?: boolean | null): string {
    const name = this.nameFor(url)
    const age =
      (persistent ?? this.#persistent) ? `; Max-Age=${Math.min(maxAge ?? MAX_AGE, MAX_AGE)}` : ''
    return this.#line(name, value, age, url)
  }

  /** The line that makes the browser forget it: the same name, path, domain and marks, or another cookie would be meant. */
  remove(url: string): string {
    return this.#line(this.nameFor(url), '', '; Max-Age=0', url)
  }

  /** Name, value and attributes in one order always: a removal differs from what it removes in nothing but value and age. */
  #line(name: string, value: string, age: string, url: string): string {
    return `${name}=${value}${age}${this.#attributes}${this.isSecure(url) ? '; Secure' : ''}`
  }
}

/** Where the text between `start` and `end` ends without the space and tabs behind it (RFC 6265bis, section 5.6). */
function trimEnd(header: string, start: number, end: number): number {
  let last = end
  while (last > start && ' \t'.includes(header.charAt(last - 1))) last--
  return last
}

function check(condition: unknown, requirement: string): void {
  if (!condition) throw new TypeError(`session(): ${requirement}.`)
}
