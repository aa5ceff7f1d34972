import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { base64url, fromBase64url, isValueShaped, randomValue } from '../src/crypto/values.ts'

const seed = Date.now() & 0x7fffffff

describe('base64url', () => {
  test.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('writes and reads the test vectors of RFC 4648: %j', (text, spelled) => {
    const bytes = new TextEncoder().encode(text)
    expect(base64url(bytes)).toBe(spelled)
    expect(fromBase64url(spelled)).toEqual(bytes)
  })

  test('comes back as it was, with the runtime’s encoder and without', () => {
    console.log(`base64url: seed ${seed}`)
    const anyBytes = fc.uint8Array({ maxLength: 100 })
    fc.assert(
      fc.property(anyBytes, (drawn) => {
        const bytes = Uint8Array.from(drawn)
        const spelled = base64url(bytes)
        expect(spelled).toMatch(/^[\w-]*$/)
        expect(fromBase64url(spelled)).toEqual(bytes)
        const withoutEncoder = Object.assign(bytes.slice(), { toBase64: undefined })
        expect(base64url(withoutEncoder as never)).toBe(spelled)
      }),
      { seed },
    )
  })

  test('is read in one spelling only: another spelling of the same bytes is none', () => {
    console.log(`base64url: seed ${seed}`)
    const unit = fc.constantFrom(...'ABQgwxyz019-_')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        const bytes = fromBase64url(text)
        if (bytes) expect(base64url(bytes)).toBe(text)
        else expect(text.length % 4 === 1 || /[^AQgw]$/.test(text)).toBe(true)
      }),
      { numRuns: 2000, seed },
    )
  })

  test.each([
    ['padding', 'Zg=='],
    ['padding in part', 'Zg='],
    ['the alphabet of plain base64', 'a+b/'],
    ['a blank', 'Zm 9'],
    ['a line break at the end', 'Zm9v\n'],
    ['NUL', 'Zm9\0'],
    ['a character a multiple of 128 away', 'Zm9\u0176'],
    ['a character of two units', 'Zm😀'],
    ['DEL', 'Zm9\x7f'],
    ['a digit too many', 'Zm9vY'],
    ['one digit', 'A'],
    ['bits that belong to no byte, of four', 'Zh'],
    ['bits that belong to no byte, of two', 'Zm9'],
  ])('is not read with %s', (_what, text) => expect(fromBase64url(text)).toBeUndefined())
})

test('T4 of the 64 ways to end a cookie value, sixteen are canonical', () => {
  const value = randomValue().slice(0, -1)
  const ends = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
  const shaped = ends.filter((end) => isValueShaped(value + end))
  expect(shaped).toHaveLength(16)
  expect(ends.filter((end) => fromBase64url(value + end))).toEqual(shaped)
})
