import { describe, expect, test } from 'vitest'
import { FORGET, keep } from '../src/http/outgoing.ts'
import { isStreamed, noStore, personalize, privately, varyByCookie } from '../src/http/response.ts'

describe('M17 Cache-Control', () => {
  const cases: [asked: string | null, looked: string, withCookie: string][] = [
    [null, 'private', 'no-store'],
    ['private', 'private', 'no-store'],
    ['no-store', 'no-store', 'no-store'],
    ['public, max-age=60', 'private, max-age=60', 'no-store'],
    ['max-age=60, s-maxage=600', 'private, max-age=60', 'no-store'],
    ['PUBLIC , max-age = 60', 'private, max-age = 60', 'no-store'],
    ['private, max-age=60', 'private, max-age=60', 'no-store'],
    ['no-store, no-transform', 'no-store, no-transform', 'no-store, no-transform'],
    ['no-cache', 'private, no-cache', 'no-store'],
    // With a field list these bind only the fields, so the rest could be shared.
    ['private="Set-Cookie"', 'private', 'no-store'],
    ['no-cache="Set-Cookie", max-age=60', 'private, max-age=60', 'no-store'],
    // Makes a cache ignore `no-store`.
    ['must-understand, no-store', 'no-store', 'no-store'],
    ['ext="a, public", max-age=60', 'private, ext="a, public", max-age=60', 'no-store'],
    // Nobody knows where this ends.
    ['ext="a, max-age=60', 'private', 'no-store'],
    ['', 'private', 'no-store'],
  ]
  test.each(cases)('%s: after a look “%s”, with a cookie “%s”', (asked, looked, withCookie) => {
    expect(privately(asked)).toBe(looked)
    expect(noStore(asked)).toBe(withCookie)
    // A second time it finds nothing to add.
    expect(privately(looked)).toBe(looked)
    expect(noStore(withCookie)).toBe(withCookie)
  })
})

describe('M17 Vary', () => {
  const cases: [vary: string | null, needed: string | undefined][] = [
    [null, 'Cookie'],
    ['Cookie', undefined],
    ['cookie', undefined],
    ['*', undefined],
    ['Origin', 'Origin, Cookie'],
    ['Origin, COOKIE , Accept', undefined],
    ['Cookie2', 'Cookie2, Cookie'],
    ['X-Cookie', 'X-Cookie, Cookie'],
  ]
  test.each(cases)('%s', (vary, needed) => {
    expect(varyByCookie(vary)).toBe(needed)
  })
})

describe('M17 a body that is still being written', () => {
  const cases: [headers: Record<string, string>, isStream: boolean][] = [
    [{}, false],
    [{ 'Content-Type': 'text/html' }, false],
    [{ 'Content-Type': 'text/event-stream; charset=utf-8' }, true],
    [{ 'Content-Type': 'TEXT/EVENT-STREAM' }, true],
    [{ 'Content-Type': 'text/event-streams' }, false],
    [{ 'Transfer-Encoding': 'gzip, chunked' }, true],
  ]
  test.each(cases)('%o: %s', (headers, isStream) => {
    expect(isStreamed(new Response('', { headers }))).toBe(isStream)
  })
})

describe('M17 headers that address shared caches alone', () => {
  test.each(['CDN-Cache-Control', 'Cloudflare-CDN-Cache-Control'])('%s goes', (name) => {
    const headers = { [name]: 'max-age=600', 'Cache-Control': 'private', Vary: 'Cookie' }
    expect(personalize(new Response('', { headers }), undefined).headers.has(name)).toBe(false)
  })
})

describe('M6 of two things to tell the browser in one request', () => {
  const strong = keep('strong', false, undefined)
  const weak = keep('weak', true, undefined)

  test.each([
    ['an extension after a sign-in says as much as the sign-in', strong, false],
    ['an extension after a new signature says nothing new', weak, true],
    ['an extension after a removal says nothing new', FORGET, true],
    ['an extension alone says nothing new', undefined, true],
  ] as const)('%s', (_what, before, isWeak) => {
    expect(keep('extended', true, before)).toEqual({ tell: 'keep', value: 'extended', isWeak })
    expect(keep('signed in', false, before)).toMatchObject({ isWeak: false })
  })
})

describe('M6 our cookie beside one that the response already has', () => {
  const OURS = '__Host-session=new; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure'
  const OF_DOMAIN = '__Secure-session=new; Path=/; Domain=shop.example; HttpOnly; Secure'

  /** A browser tells cookies apart by name, path and domain. */
  const cases: [other: string, ours: string, isTheSame: boolean][] = [
    ['__Host-session=old; Path=/; Secure', OURS, true],
    ['__Host-session=old;PATH=/', OURS, true],
    [' __Host-session = old; Path = /', OURS, true],
    ['__Host-session=old; Path=/admin; Path=/', OURS, true],
    ['__Secure-session=old; Path=/; Domain=.Shop.Example', OF_DOMAIN, true],
    ['theme=dark; Path=/', OURS, false],
    ['__host-session=old; Path=/', OURS, false],
    ['__Host-session=; Path=/admin; Max-Age=0', OURS, false],
    ['__Host-session=; Path=/Admin; Path=/admin', OURS, false],
    ['__Host-session=; Path=/; Domain=shop.example; Max-Age=0', OURS, false],
    ['__Secure-session=; Path=/; Max-Age=0', OF_DOMAIN, false],
    ['__Secure-session=; Path=/Shop', '__Secure-session=new; Path=/shop; Secure', false],
    ['__Secure-session=; Path=/; Domain=other.example', OF_DOMAIN, false],
  ]
  test.each(cases)('%s beside %s', (other, ours, isTheSame) => {
    const cookiesOf = (isWeak: boolean): string[] => {
      const response = new Response('', { headers: { 'Set-Cookie': other } })
      return personalize(response, { line: ours, isWeak }).headers.getSetCookie()
    }
    const kept = other.trim()
    expect(cookiesOf(false)).toEqual(isTheSame ? [ours] : [kept, ours])
    // One that says nothing new leaves the same cookie alone.
    expect(cookiesOf(true)).toEqual(isTheSame ? [kept] : [kept, ours])
  })
})
