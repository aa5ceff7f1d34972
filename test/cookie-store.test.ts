import { type Context, Hono } from 'hono'
import { describe, expect, test, vi } from 'vitest'
import { seal, unseal } from '../src/crypto/seal.ts'
import { keysOf } from '../src/crypto/secrets.ts'
import { base64url, fromBase64url } from '../src/crypto/values.ts'
import {
  CookieStore,
  Session,
  type SessionEnv,
  SessionError,
  type SessionEvent,
  session,
} from '../src/index.ts'
import { storeContract } from '../src/testing.ts'
import { useClock } from './support/clock.ts'
import { httpStory } from './support/http-story.ts'
import { makeSecret } from './support/secret.ts'
import { storyApp } from './support/story-app.ts'
import { Visitor } from './support/visitor.ts'
import { witness } from './support/witness.ts'

const NEW = makeSecret()
const OLD = makeSecret()
const STRANGE = makeSecret()

const CAPABILITIES = { conditionalWrites: false, owners: false, clear: false, revocation: false }

storeContract('CookieStore', () => new CookieStore({ secrets: [NEW, OLD] }), {
  test,
  capabilities: CAPABILITIES,
})

httpStory(
  'CookieStore',
  () => {
    const app = storyApp({ store: new CookieStore({ secrets: NEW }) })
    return (url, init) => app.request(url, init)
  },
  { revocation: false, conditionalWrites: false },
)

const clock = useClock()
type Data = Record<string, unknown>

const store = new CookieStore({ secrets: [NEW, OLD] })

async function issue(change: (session: Session) => void = () => {}, by = store): Promise<string> {
  const fresh = new Session()
  change(fresh)
  return by.storeSession(fresh)
}

/** An app over a CookieStore with these secrets, newest first. */
function world(secrets: string[], events: SessionEvent[] = []): Visitor {
  const app = new Hono<SessionEnv<Data>>()
  const onEvent = (event: SessionEvent): void => {
    witness(event)
    events.push(event)
  }
  app.use(session<Data>({ store: new CookieStore({ secrets }), onEvent }))
  app.get('/read', (c) => c.json(c.var.session.get('n') ?? null))
  app.post('/write', (c) => {
    c.var.session.update('n', (n) => Number(n ?? 0) + 1)
    return c.text('ok')
  })
  app.post('/fill/:bytes', (c) => {
    // As JSON the data is exactly that long.
    const bytes = Number(c.req.param('bytes')) - JSON.stringify({ fill: '' }).length
    c.var.session.clear()
    c.var.session.set('fill', 'x'.repeat(bytes))
    return c.text('ok')
  })
  app.get('/size', (c) => c.json(String(c.var.session.get('fill') ?? '').length))
  app.onError((error, c) => {
    witness(error)
    return c.text(error instanceof SessionError ? error.code : String(error), 500)
  })
  return new Visitor(app as never)
}

const post = { method: 'POST' }
const NAME = '__Host-session'
const cookieIn = (who: Visitor): string => who.cookies.get(NAME) ?? expect.fail('no cookie')

describe('C1 the seal', () => {
  test('holds everything, and shows nothing', async () => {
    const value = await issue((s) => {
      s.signIn('ada lovelace')
      s.set('secret', 'of hers')
    })
    const bytes = fromBase64url(value) ?? expect.fail('no base64url')
    const raw = String.fromCharCode(...bytes)
    expect(raw).not.toMatch(/ada|secret|hers|session/)
    const opened = await store.loadSession(value)
    expect([opened?.owner, opened?.get('secret')]).toEqual(['ada lovelace', 'of hers'])
  })

  test('is made with a 256-bit key, an IV of 96 bits that is drawn for it, and a 128-bit tag', async () => {
    const fresh = new CookieStore({ secrets: makeSecret() })
    const encrypt = vi.spyOn(crypto.subtle, 'encrypt')
    const derive = vi.spyOn(crypto.subtle, 'deriveKey')
    await issue(() => {}, fresh)
    await issue(() => {}, fresh)
    const [first, second] = encrypt.mock.calls.map(
      ([algorithm]) => algorithm as unknown as { iv: Uint8Array; tagLength: number },
    )
    expect([first?.iv.length, first?.tagLength]).toEqual([12, 128])
    expect(first?.iv).not.toEqual(second?.iv)
    const derived = derive.mock.calls.filter(
      ([, , algorithm]) => (algorithm as { name: string }).name === 'AES-GCM',
    )
    expect(derived).toHaveLength(1)
    expect(derived[0]?.[0]).toMatchObject({ name: 'HKDF', hash: 'SHA-256' })
    expect(derived[0]?.[2]).toMatchObject({ length: 256 })
    encrypt.mockRestore()
    derive.mockRestore()
  })

  test('has the salt of its isolate, and another after 2^20 seals', async () => {
    const secret = makeSecret()
    const fresh = new CookieStore({ secrets: secret })
    const saltOf = async (): Promise<string> =>
      String(fromBase64url(await issue(() => {}, fresh))?.slice(5, 21))
    const first = await saltOf()
    const { sealing } = await keysOf(secret)
    expect(sealing?.seals).toBe(1)
    if (sealing) sealing.seals = 2 ** 20 - 2
    expect([await saltOf(), await saltOf()]).toEqual([first, first])
    const second = await saltOf()
    expect(second).not.toBe(first)
    expect(await saltOf()).toBe(second)
    expect(new Set(first.split(',')).size).toBeGreaterThan(4)
  })

  test('has a salt for each secret', async () => {
    const salts = [NEW, OLD].map(async (secrets) => {
      const bytes = fromBase64url(await issue(() => {}, new CookieStore({ secrets })))
      return String(bytes?.slice(5, 21))
    })
    expect(new Set(await Promise.all(salts)).size).toBe(2)
  })

  /** A seal as another isolate would have made it. */
  const sealedElsewhere = (text = '', secret = NEW): Promise<string> => {
    const salt = crypto.getRandomValues(new Uint8Array(16))
    return seal(text, secret, { salt, iv: crypto.getRandomValues(new Uint8Array(12)) })
  }

  test('that comes back does not have its key derived again, wherever it was made', async () => {
    const here = await issue()
    const bytes = fromBase64url(here) ?? expect.fail('no base64url')
    expect(await store.loadSession(here)).toBeDefined()
    const elsewhere = await sealedElsewhere()
    expect(await unseal(elsewhere, [NEW])).toBeDefined()
    const derive = vi.spyOn(crypto.subtle, 'deriveKey')
    expect(await store.loadSession(here)).toBeDefined()
    expect(await unseal(elsewhere, [NEW])).toBeDefined()
    // Forged with a salt that is known: no key is derived for it either.
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    expect(await store.loadSession(base64url(bytes))).toBeUndefined()
    expect(derive).not.toHaveBeenCalled()
    derive.mockRestore()
  })

  test('that is forged leaves no key behind, so that visitors keep theirs', async () => {
    const secret = makeSecret()
    const visitors = await Promise.all(
      Array.from({ length: 900 }, () => sealedElsewhere('visitor', secret)),
    )
    for (const value of visitors) expect(await unseal(value, [secret])).toBeDefined()
    const sound = fromBase64url(await sealedElsewhere('forged', secret)) ?? expect.fail()
    for (let i = 0; i < 1200; i++) {
      const forged = sound.slice()
      crypto.getRandomValues(forged.subarray(5, 21))
      expect(await unseal(base64url(forged), [secret])).toBeUndefined()
    }
    const derive = vi.spyOn(crypto.subtle, 'deriveKey')
    for (const value of visitors) expect(await unseal(value, [secret])).toBeDefined()
    expect(derive).not.toHaveBeenCalled()
    derive.mockRestore()
  })

  test('of another isolate leaves its key behind only for so long', async () => {
    const secret = makeSecret()
    const first = await sealedElsewhere('first', secret)
    expect(await unseal(first, [secret])).toBeDefined()
    for (let i = 0; i < 1000; i++) await unseal(await sealedElsewhere('', secret), [secret])
    expect((await keysOf(secret)).opened.size).toBe(1000)
    expect(await unseal(first, [secret])).toEqual({ text: 'first', secret })
  })

  test('a thousand of one session are a thousand different', async () => {
    const values = await Promise.all(Array.from({ length: 1000 }, () => issue()))
    expect(new Set(values).size).toBe(1000)
  })

  test('keys are kept as values: two requests at once do not wait for each other', async () => {
    const fresh = new CookieStore({ secrets: makeSecret() })
    const values = await Promise.all([issue(() => {}, fresh), issue(() => {}, fresh)])
    for (const value of values) expect(await fresh.loadSession(value)).toBeDefined()
    const derive = vi.spyOn(crypto.subtle, 'importKey')
    await issue(() => {}, fresh)
    expect(derive).not.toHaveBeenCalled()
    derive.mockRestore()
  })
})

describe('C2 secrets', () => {
  test('the first seals, all open, and what an older one has opened is sealed again', async () => {
    const before = world([OLD])
    await before.visit('/write', post)
    const during = world([NEW, OLD])
    during.cookies.set(NAME, cookieIn(before))
    const read = await during.visit('/read')
    expect(await read.json()).toBe(1)
    expect(read.headers.get('Set-Cookie')).toContain(`${NAME}=`)
    expect((await during.visit('/read')).headers.get('Set-Cookie')).toBeNull()
    const after = world([NEW])
    after.cookies.set(NAME, cookieIn(during))
    expect(await after.text('/read')).toBe('1')
    after.cookies.set(NAME, cookieIn(before))
    expect(await after.text('/read')).toBe('null')
  })

  test('rotation in three steps, with two versions of the app side by side, signs nobody out', async () => {
    // Each step is deployed while the one before still answers; a visitor meets either.
    const steps = [[OLD], [OLD, NEW], [NEW, OLD], [NEW]]
    const ada = world([OLD])
    await ada.visit('/write', post)
    let cookie = cookieIn(ada)
    let visits = 1
    for (let step = 0; step + 1 < steps.length; step++) {
      for (const turn of [0, 1, 0, 1, 1]) {
        const app = world(steps[step + turn] ?? [])
        app.cookies.set(NAME, cookie)
        expect(await app.text('/read')).toBe(String(visits))
        await app.visit('/write', post)
        visits++
        cookie = cookieIn(app)
      }
    }
    const last = world([NEW])
    last.cookies.set(NAME, cookie)
    expect(await last.text('/read')).toBe(String(visits))
  })
})

describe('C3 whatever is wrong with a seal', () => {
  async function outcomes(values: Iterable<string>): Promise<Set<string>> {
    const events: SessionEvent[] = []
    const who = world([NEW, OLD], events)
    const seen = new Set<string>()
    for (const value of values) {
      who.cookies.set(NAME, value)
      const response = await who.visit('/read')
      // The browser is told to forget what never was a seal (M8), and anybody can tell that from its shape alone.
      const isMalformed = !new CookieStore({ secrets: NEW }).isWellFormed(value)
      const shown = await response.text()
      if (shown === 'null') expect(response.headers.has('Set-Cookie')).toBe(isMalformed)
      seen.add(JSON.stringify([response.status, shown]))
    }
    return seen
  }

  test('is no session: every single bit of it', async () => {
    const value = await issue((s) => s.set('n', 1))
    const bytes = fromBase64url(value) ?? expect.fail('no base64url')
    const flipped = function* (): Generator<string> {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const copy = bytes.slice()
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        yield base64url(copy)
      }
    }
    expect((await outcomes(flipped())).size).toBe(1)
    expect(bytes.length * 8).toBeGreaterThan(1000)
  })

  test('is no session: every truncation and every extension', async () => {
    const value = await issue((s) => s.set('n', 1))
    const cut = Array.from({ length: value.length }, (_, length) => value.slice(0, length))
    const longer = ['A', 'AA', 'AAAA', value].map((more) => value + more)
    const seen = await outcomes([...cut, ...longer])
    expect(seen.size).toBe(1)
  })

  test('is no session, with one and the same response: another key id, purpose, version, spelling or content', async () => {
    const value = await issue((s) => s.set('n', 1))
    const bytes = fromBase64url(value) ?? expect.fail('no base64url')
    const other =
      fromBase64url(await issue(() => {}, new CookieStore({ secrets: OLD }))) ?? expect.fail()
    const withKeyId = bytes.slice()
    withKeyId.set(other.slice(1, 5), 1)
    const header = JSON.stringify(['A'.repeat(43), Date.now() + 1e6, null])
    const body = JSON.stringify({ v: 1, n: 'session', c: Date.now(), d: { n: 1 } })
    const texts = [
      '',
      'not json',
      body,
      `${header}\n`,
      `${header}\n{}`,
      `${header}${body}`,
      `[]\n${body}`,
      `null\n${body}`,
      `{}\n${body}`,
      `["short",null,null]\n${body}`,
      `${JSON.stringify(['A'.repeat(43), Date.now() - 1, null])}\n${body}`,
      `${JSON.stringify(['A'.repeat(43)])}\n${body}`,
      `${header}\n${body.replace('"v":1', '"v":2')}`,
      `${header}\n${body.replace('"session"', '"admin"')}`,
    ]
    const sealed = await Promise.all(texts.map((text) => seal(text, NEW)))
    const last = value.charCodeAt(value.length - 1)
    const bad = [
      base64url(withKeyId),
      base64url(Uint8Array.of(2, ...bytes.slice(1))),
      value.slice(0, -1) + String.fromCharCode(last + 1),
      btoa(JSON.stringify({ n: 1 })),
      body,
      await issue((s) => s.set('n', 1), new CookieStore({ secrets: STRANGE })),
      ...sealed,
    ]
    expect((await outcomes(bad)).size).toBe(1)
    const sound = await seal(`${header}\n${body}`, NEW)
    expect([...(await outcomes([sound]))][0]).toContain('"1"')
  })

  test('a key that nobody has is not tried', async () => {
    const value = await issue(() => {}, new CookieStore({ secrets: STRANGE }))
    const decrypt = vi.spyOn(crypto.subtle, 'decrypt')
    expect(await store.loadSession(value)).toBeUndefined()
    expect(decrypt).not.toHaveBeenCalled()
    decrypt.mockRestore()
  })
})

describe('M11 the name is inside the seal', () => {
  test('a value moved to another middleware’s cookie is no session there', async () => {
    const app = new Hono<SessionEnv<Data> & SessionEnv<Data, 'admin'>>()
    app.use(session<Data>({ store }))
    app.use(session<Data, 'admin'>({ store, name: 'admin' }))
    app.post('/write', (c) => {
      c.var.session.set('who', 'user')
      return c.text('ok')
    })
    app.get('/read', (c) => c.json(c.var.admin.get('who') ?? null))
    const who = new Visitor(app as never)
    await who.visit('/write', post)
    who.cookies.set('__Host-admin', cookieIn(who))
    expect(await who.text('/read')).toBe('null')
  })
})

describe('C4 M6 the size of a cookie', () => {
  test('2,800 bytes of JSON fit', async () => {
    const ada = world([NEW])
    expect((await ada.visit('/fill/2800', post)).status).toBe(200)
    expect(await ada.text('/size')).toBe(String(2800 - JSON.stringify({ fill: '' }).length))
    expect(NAME.length + cookieIn(ada).length).toBeLessThanOrEqual(4096)
  })

  test('3,200 do not: refused, and the old cookie stays', async () => {
    const ada = world([NEW])
    await ada.visit('/fill/100', post)
    const before = cookieIn(ada)
    const response = await ada.visit('/fill/3200', post)
    expect(response.status).toBe(500)
    expect(await response.text()).toBe('SESSION_TOO_LARGE')
    expect(response.headers.get('Set-Cookie')).toBeNull()
    expect(cookieIn(ada)).toBe(before)
    expect(await ada.text('/size')).toBe(String(100 - JSON.stringify({ fill: '' }).length))
  })

  test('up to the last byte that a browser takes', async () => {
    let largest = 0
    for (let bytes = 2800; bytes < 3200; bytes++) {
      const ada = world([NEW])
      const response = await ada.visit(`/fill/${bytes}`, post)
      if (response.status !== 200) break
      largest = NAME.length + cookieIn(ada).length
    }
    expect(largest).toBeGreaterThan(4092)
    expect(largest).toBeLessThanOrEqual(4096)
  })
})

describe('C5 what it cannot do', () => {
  test('clear: it says what to do instead', async () => {
    await expect(store.clearStore()).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('secrets'),
    })
  })

  test('find sessions by owner (O2)', () => {
    for (const method of ['sessionsOf', 'destroySessionsOf', 'destroySessionById', 'count']) {
      expect(method in store).toBe(false)
    }
  })

  test('a copied cookie is a session until it expires, and not a second longer', async () => {
    const value = await issue((s) => s.expireIn(600))
    const signedOut = (await store.loadSession(value)) ?? expect.fail()
    signedOut.destroy()
    await store.destroySession(signedOut)
    clock.advance(599)
    expect(await store.loadSession(value)).toBeDefined()
    clock.advance(1)
    expect(await store.loadSession(value)).toBeUndefined()
  })

  test('change a session when the response is settled: it says so (S12)', async () => {
    const app = new Hono<SessionEnv<Data>>()
    let late: Session<Data> | undefined
    app.use(session<Data>({ store }))
    app.post('/', (c: Context<SessionEnv<Data>>) => {
      late = c.var.session
      late.set('n', 1)
      return c.text('ok')
    })
    await app.request('https://shop.example/', post)
    await expect(late?.save((s) => s.set('n', 2))).rejects.toMatchObject({
      code: 'SESSION_COMMITTED',
    })
  })
})

test('T9 rolling, the absolute timeout and expiry are those of every other store', async () => {
  const ada = world([NEW])
  await ada.visit('/write', post)
  clock.advance(8_639)
  expect((await ada.visit('/read')).headers.get('Set-Cookie')).toBeNull()
  clock.advance(1)
  expect((await ada.visit('/read')).headers.get('Set-Cookie')).toContain('Max-Age=86400;')
  const copy = ada.copy()
  clock.advance(86_400)
  expect(await copy.text('/read')).toBe('null')
})

test('S7 S8 the id is stable until the session is rotated', async () => {
  const first = (await store.loadSession(await issue())) ?? expect.fail()
  const { id } = first
  first.set('n', 1)
  const second = (await store.loadSession(await store.storeSession(first))) ?? expect.fail()
  expect(second.id).toBe(id)
  second.regenerate()
  const third = (await store.loadSession(await store.storeSession(second))) ?? expect.fail()
  expect(third.id).not.toBe(id)
  expect(third.get('n')).toBe(1)
})
