import { describe, expect, test } from 'vitest'
import { isStreamed, noStore, privately, varyByCookie } from '../src/http/response.ts'

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
