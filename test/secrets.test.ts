import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { base64url } from '../src/crypto/values.ts'
import { CookieStore, MemoryStore, session } from '../src/index.ts'
import { makeSecret } from './support/secret.ts'

/** The error of `CookieStore` and of `session()`, which must be the same. */
function errorsOf(secrets: unknown): TypeError[] {
  const store = new MemoryStore({ name: 'secrets', warn: false })
  const attempts = [
    () => new CookieStore({ secrets: secrets as string }),
    () => session({ store, secrets: secrets as string }),
  ]
  return attempts.flatMap((attempt) => {
    try {
      attempt()
      return []
    } catch (error) {
      return [error as TypeError]
    }
  })
}

function expectRefusal(secrets: unknown, fault: string): void {
  const errors = errorsOf(secrets)
  expect(errors).toHaveLength(2)
  for (const error of errors) {
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(fault)
    expect(error.message).toContain('openssl rand -base64 32')
    for (const secret of [secrets].flat()) {
      if (typeof secret === 'string' && secret.length > 5)
        expect(error.message).not.toContain(secret)
    }
  }
}

const GOOD = makeSecret()

const base64 = (bytes: ArrayLike<number>): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
const hex = (bytes: ArrayLike<number>): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const counting = Uint8Array.from({ length: 32 }, (_, i) => i)

describe('C2 a secret that is no secret', () => {
  test.each<[what: string, secrets: unknown, fault: string]>([
    ['missing', undefined, 'is missing'],
    ['null', null, 'is missing'],
    ['a number', 12345, 'is missing or not a string'],
    ['empty', '', 'is empty'],
    ['an empty list', [], 'is missing'],
    ['a list with a hole', [GOOD, undefined], 'is missing'],
    ['short', 'x1y2z3'.repeat(5), 'is shorter than 32 bytes'],
    ['31 bytes', 'kW8dR2mVq7ZsYb4LxTn9cHf3JpGa6Ue', 'is shorter than 32 bytes'],
    ['a short one behind a good one', [GOOD, 'short'], 'is shorter than 32 bytes'],
    ['one character', 'a'.repeat(64), 'repeats'],
    ['one emoji', '😀'.repeat(32), 'repeats'],
    ['seven different characters', 'abcdefgaecgdbfdacegbfgacdbefdcagbefdgac', 'repeats'],
    ['a short text over and over', 'shopofada!shopofada!shopofada!shopo', 'repeats'],
    ['digits that count', '12345678901234567890123456789012', 'repeats'],
    ['32 zero bytes, in base64', base64(new Uint8Array(32)), 'repeats'],
    ['32 zero bytes, in base64url', base64url(new Uint8Array(32)), 'repeats'],
    ['32 zero bytes, in hex', hex(new Uint8Array(32)), 'repeats'],
    ['bytes that count, in base64', base64(counting), 'are not random'],
    ['bytes that count, in base64url', base64url(counting), 'are not random'],
    ['bytes that count, in hex', hex(counting), 'are not random'],
    ['two bytes in turns, in hex', 'a90f'.repeat(16), 'repeats'],
    [
      'a placeholder, in base64',
      base64(bytesOf('please-change-this-secret-in-production')),
      'are not random',
    ],
    ['a placeholder, in hex', hex(bytesOf('replace me with a secret')), 'are not random'],
    [
      'the playground’s of the first edition',
      'vY0sJm3Qh7tKx1LwZc8RbNf5GpDa2UeT-playground',
      'published',
    ],
    ['the benchmark’s', 'q1Jw0Zr8mYb5cVx2NkT7hGf4sLd9eUaP3oRi6tWyXzE=', 'published'],
    ['the guides’ tests’', 'Jd7hFc5gTn1uKa0eQx3iPpq8vXk2mZt6', 'published'],
  ])('%s: refused where it is given, without being shown', (_what, secrets, fault) =>
    expectRefusal(secrets, fault),
  )

  test.each([
    'string_at_least_32_characters_long',
    'a_random_string_at_least_32_characters_long',
    'CHANGE_THIS_TO_A_SECURE_RANDOM_STRING_AT_LEAST_32_CHARACTERS_LONG',
    'complex_password_at_least_32_characters_long',
    'changeMeToARandomStringOfAtLeast32Characters',
    'your-super-secret-jwt-token-with-at-least-32-characters-long',
    'YOUR_32_CHARACTER_LONG_SECRET_KEY_HERE',
    'replace-me-with-32-or-more-characters!!',
    'please_change_me_in_production_please',
    'insert-your-session-secret-here-0123',
    '<insert your session secret of 32 chars here>',
    'dev-secret-do-not-use-in-production-2026',
    'not-a-real-secret-just-for-local-development',
    'this is a very long secret for testing purposes',
    'use-openssl-rand-base64-32-to-generate-this',
    'MySuperSecretKeyThatIsAtLeast32CharsLong',
    'my-acme-app-session-secret-key-for-production',
    'ChangeThisPassw0rdInProduction2026!',
    'correct horse battery staple, correct horse',
    'the quick brown fox jumps over the dog',
    'keyboard cat keyboard cat, keyboard cat',
    'qwertyuiopasdfghjklzxcvbnm123456',
    '0123456789abcdef0123456789abcdef',
    '00112233445566778899aabbccddeeff',
    'abcdefghijklmnopqrstuvwxyz123456',
    'zyxwvutsrqponmlkjihgfedcba987654',
    '12345678-1234-1234-1234-123456789abc',
    '00000000-0000-4000-8000-000000000000',
    'deadbeef-dead-4ead-beef-deadbeefdead',
  ])('“%s” is refused', (secret) => expectRefusal(secret, 'a secret '))
})

describe('C2 a secret', () => {
  const seed = Date.now() & 0x7fffffff
  const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array({ minLength: length, maxLength: length })
  /** Uniform, as a random generator is: fast-check likes zeros and repetitions better. */
  const random = (length: number): fc.Arbitrary<Uint8Array> => fc.noBias(bytes(length))
  const words =
    'anchor apricot autumn badger basket beacon blanket bottle bridge candle canyon carpet castle cedar cherry cliff cobalt copper coral cradle cricket dagger daisy dolphin eagle ember falcon fennel ferry fiddle forest garnet ginger glacier granite hammer harbor hazel helmet hollow indigo island ivory jacket jungle kettle ladder lantern lemon linen lizard magnet maple marble meadow mirror mustard needle nickel oatmeal olive orchard otter paddle parrot pepper pigeon pillow planet plaza pocket puzzle quartz rabbit raven ribbon river saddle salmon scarf shadow silver spider sponge summit tavern temple thunder timber tulip turtle umbrella valley velvet violin walnut weasel willow window winter yogurt zipper long secret random key test change example string server private contest greatest'.split(
      ' ',
    )
  const phrase = (separator: string): fc.Arbitrary<string> =>
    fc
      .noBias(fc.array(fc.constantFrom(...words), { minLength: 9, maxLength: 9 }))
      .map((chosen) => chosen.join(separator))
  // fc.uuid() likes zeros, too.
  const uuid = random(16).map((value) =>
    hex(value).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-a$4-$5'),
  )
  const printable = fc
    .noBias(fc.array(fc.integer({ min: 33, max: 126 }), { minLength: 32, maxLength: 32 }))
    .map((codes) => String.fromCharCode(...codes))

  test.each<[string, fc.Arbitrary<string>]>([
    ['openssl rand -base64 32', random(32).map(base64)],
    ['base64 of 24 bytes', random(24).map(base64)],
    ['base64url', random(32).map((value) => base64url(Uint8Array.from(value)))],
    ['openssl rand -hex 32', random(32).map(hex)],
    ['hex of 16 bytes', random(16).map(hex)],
    ['a UUID', uuid],
    ['a pair of UUIDs', fc.tuple(uuid, uuid).map((pair) => pair.join('-'))],
    ['a passphrase with spaces', phrase(' ')],
    ['a passphrase in one', phrase('')],
    ['a password manager’s', printable],
  ])('random secrets of every kind are taken: %s', (_what, secrets) => {
    console.log(`secrets: seed ${seed}`)
    fc.assert(
      fc.property(secrets, (secret) => {
        if (new TextEncoder().encode(secret).length < 32) return
        if (errorsOf(secret).length > 0) throw new Error('A random secret was refused.')
      }),
      { numRuns: 2000, seed },
    )
  })

  test.each([
    ['32 bytes', 'kW8dR2mVq7ZsYb4LxTn9cHf3JpGa6UeX'],
    ['32 bytes in fewer characters', `${'é€ab'.repeat(4)}01234567`],
    ['with words before what is random', 'session-secret-2026-kW8dR2mVq7ZsYb4L'],
    ['a UUID with the look of small numbers', '2e38d4ac-4086-4184-a090-1245a4654385'],
    ['eleven characters of three bytes', '鬱薔薇檸檬蜥蜴蝙蝠鸚鵡'],
  ])('%s: taken', (_what, secret) => expect(errorsOf(secret)).toEqual([]))
})
