import { describe, expect, test } from 'vitest'
import { AMBIGUOUS, SessionCookie } from '../src/http/cookie.ts'

const URL = 'https://example.com/'

/** The value that `read` finds under `__Host-session` in a `Cookie` header. */
const read = (header: string): unknown => new SessionCookie('session').read(header, URL)

describe('M2 the value under our name in a Cookie header', () => {
  const found: [what: string, header: string, value: unknown][] = [
    ['alone', '__Host-session=v', 'v'],
    ['first of several', '__Host-session=v; a=b', 'v'],
    ['last of several', 'a=b; __Host-session=v', 'v'],
    ['between others without a blank', 'a=b;__Host-session=v;c=d', 'v'],
    ['with blanks and tabs around it', ' \t__Host-session=v \t; a=b', 'v'],
    ['empty', '__Host-session=', ''],
    ['with = inside', '__Host-session=a=b', 'a=b'],
    ['quoted: the quotes are part of it', '__Host-session="v"', '"v"'],
    ['percent-encoded: as it is', '__Host-session=%61', '%61'],
    ['twice the same', '__Host-session=v; __Host-session=v', 'v'],
    ['twice, and different', '__Host-session=v; __Host-session=w', AMBIGUOUS],
    ['twice, once empty', '__Host-session=v; __Host-session=', AMBIGUOUS],
  ]
  test.each(found)('%s', (_what, header, value) => {
    expect(read(header)).toBe(value)
  })

  const missing: [what: string, header: string][] = [
    ['an empty header', ''],
    ['another name', 'session=v'],
    ['another case', '__host-session=v'],
    ['a longer name that ends like it', 'x__Host-session=v'],
    ['a longer name that begins like it', '__Host-session2=v'],
    ['in the value of another cookie', 'a=__Host-session=v'],
    ['behind a blank in the value of another cookie', 'a=b __Host-session=v'],
    ['a blank before the =', '__Host-session =v'],
    ['no =', '__Host-session'],
    ['behind a line break', 'a=b;\n__Host-session=v'],
  ]
  test.each(missing)('is not there: %s', (_what, header) => {
    expect(read(header)).toBe(undefined)
  })
})

describe('M4 M5 what the cookie is called', () => {
  const names: [what: string, cookie: SessionCookie, url: string, name: string][] = [
    ['on https', new SessionCookie('a'), URL, '__Host-a'],
    ['with a path', new SessionCookie('a', { path: '/app' }), URL, '__Secure-a'],
    ['with a domain', new SessionCookie('a', { domain: 'example.com' }), URL, '__Secure-a'],
    ['on loopback', new SessionCookie('a'), 'http://localhost:8787/', 'a'],
    ['on plain http elsewhere', new SessionCookie('a'), 'http://example.com/', '__Host-a'],
    ['with secure: false', new SessionCookie('a', { secure: false }), URL, 'a'],
  ]
  test.each(names)('%s', (_what, cookie, url, name) => {
    expect(cookie.nameFor(url)).toBe(name)
    expect(cookie.write('v', 60, url)).toMatch(`${name}=v; `)
    expect(cookie.remove(url)).toMatch(`${name}=; Max-Age=0; `)
  })
})

describe('M8 where a cookie comes back to (RFC 6265, section 5.1.4)', () => {
  const cases: [path: string, pathname: string, comesBack: boolean][] = [
    ['/', '/anywhere', true],
    ['/admin', '/admin', true],
    ['/admin', '/admin/users', true],
    ['/admin', '/administrator', false],
    ['/admin', '/', false],
    ['/admin', '/shop/admin', false],
    ['/admin', '/Admin', false],
    ['/admin/', '/admin/users', true],
    ['/admin/', '/admin', false],
  ]
  test.each(cases)('Path=%s and %s: %s', (path, pathname, comesBack) => {
    const cookie = new SessionCookie('a', { path })
    expect(cookie.comesBackTo(`https://example.com${pathname}?q=/admin`)).toBe(comesBack)
  })
})
