import { expect } from 'vitest'
import { seal, unseal } from '../../src/crypto/seal.ts'
import { Signer } from '../../src/crypto/signature.ts'
import { idOf } from '../../src/crypto/values.ts'
import { CookieStore, MemoryStore, Session } from '../../src/index.ts'
import { decodeRecord } from '../../src/session/session-record.ts'
import golden from '../golden/v1.json' with { type: 'json' }

const bytes = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

/** Every version from now on has to open these, and this one makes exactly the same. In any runtime. */
export const goldenChecks: Record<string, () => Promise<void>> = {
  'an id is the same for ever': async () => {
    for (const { value, id } of golden.ids) expect(await idOf(value)).toBe(id)
  },

  'a signature is made and verified as it was': async () => {
    for (const { secret, cookieName, value, signed } of golden.signatures) {
      const signer = new Signer([secret])
      expect(await signer.sign(value, cookieName)).toBe(signed)
      expect(await signer.verify(signed, cookieName)).toEqual({ value, isCurrent: true })
    }
  },

  'a seal is made and opened as it was': async () => {
    for (const { secret, salt, iv, text, sealed } of golden.seals) {
      expect(await seal(text, secret, { salt: bytes(salt), iv: bytes(iv) })).toBe(sealed)
      expect(await unseal(sealed, [secret])).toEqual({ text, secret })
    }
  },

  'a sealed session is a session': async () => {
    const { secret, value, data, owner, id } = golden.cookie
    const session = await new CookieStore({ secrets: secret }).loadSession(value)
    expect(session?.id).toBe(id)
    expect(session?.owner).toBe(owner)
    expect(
      Object.fromEntries([...(session?.keys() ?? [])].map((key) => [key, session?.get(key)])),
    ).toEqual(data)
    expect(session?.has('notice')).toBe(true)
  },

  'a record is read as it was': async () => {
    const content = decodeRecord(golden.record, Date.parse('2026-06-01'))
    // Fields that later versions of this format have added are absent, which is no error.
    const absent = { device: null, persistent: null, usedAt: null }
    expect(content).toEqual({ ...golden.content, ...absent })
  },

  'a cookie value is still 43 characters': async () => {
    const value = await new MemoryStore({ name: 'golden' }).storeSession(new Session())
    expect(value).toMatch(/^[\w-]{43}$/)
  },
}
