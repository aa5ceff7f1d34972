import { expect } from 'vitest'
import { Visitor } from '../support/visitor.ts'
import { form, ORIGIN, story } from './guide.ts'

story(
  'docs/recipes/guards.md',
  0,
  'a guard, a session from anywhere, and assets without one',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    const turnedAway = await ada.visit('/orders', { redirect: 'manual' })
    expect(turnedAway.headers.get('Location')).toBe('/sign-in')
    expect(turnedAway.headers.get('Cache-Control')).toBe('private')
    await ada.visit('/sign-in/ada', form({}))
    expect(await ada.text('/orders')).toBe('Orders of ada')
    const asset = await ada.visit('/assets/logo.svg')
    expect(asset.headers.get('Vary')).toBeNull()
  },
)

story(
  'docs/recipes/rate-limits.md',
  0,
  'twenty new visitors a minute from one address; whoever has a session goes on',
  async ({ ask }) => {
    const add = (who: Visitor): Promise<Response> =>
      who.visit('/cart/tea', { method: 'POST', headers: { 'CF-Connecting-IP': '192.0.2.1' } })
    const ada = new Visitor(ask, ORIGIN)
    expect((await add(ada)).status).toBe(200)
    const statuses: number[] = []
    for (let i = 0; i < 25; i++) statuses.push((await add(new Visitor(ask, ORIGIN))).status)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(4)
    expect(statuses.at(-1)).toBe(429)
    expect((await add(ada)).status).toBe(200)
  },
)

story(
  'docs/recipes/native-apps.md',
  0,
  'a native app carries its session in a header',
  async ({ ask }) => {
    const request = async (session: string): Promise<Response> =>
      ask(`${ORIGIN}/`, { headers: { 'X-Session': session } })
    const first = await request('new')
    expect(await first.text()).toBe('Visit 1')
    const session = first.headers.get('X-Session') ?? ''
    expect(session).toMatch(/^[\w-]{43}$/)
    expect(first.headers.getSetCookie()).toEqual([])
    expect(first.headers.get('Vary')).toContain('X-Session')
    expect(await (await request(session)).text()).toBe('Visit 2')
    // A browser goes on as ever.
    const ada = new Visitor(ask, ORIGIN)
    expect(await ada.text('/')).toBe('Visit 1')
    expect(await ada.text('/')).toBe('Visit 2')
  },
)

story(
  'docs/recipes/encryption-at-rest.md',
  0,
  'a store whose bodies only the Worker can read',
  async ({ ask, runtime }) => {
    const ada = new Visitor(ask, ORIGIN)
    for (const visit of [1, 2, 3]) expect(await ada.text('/')).toBe(`Visit ${visit}`)
    const kv = await runtime.getKVNamespace('KV', 'app')
    const [key] = (await kv.list()).keys
    const kept = String(await kv.get(key?.name ?? ''))
    expect(kept).toContain('"body":"')
    expect(kept).not.toContain('visits')
    // Moved to another session, a body is nothing.
    const other = new Visitor(ask, ORIGIN)
    await other.visit('/')
    const names = (await kv.list()).keys.map(({ name }) => name)
    const theirs = names.find((name) => name !== key?.name) ?? ''
    await kv.put(theirs, kept)
    expect((await other.visit('/')).status).toBe(500)
  },
  { variables: { BODY_KEY: Buffer.alloc(32, 7).toString('base64') } },
)

story(
  'docs/recipes/beside-auth.md',
  0,
  'a cart of its own beside somebody else’s login',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    const as = (user?: string): RequestInit => ({ headers: user ? { 'X-Demo-User': user } : {} })
    const items = async (user?: string): Promise<unknown> =>
      (await ada.visit('/items', as(user))).json()
    await ada.visit('/items/tea', { method: 'POST' })
    expect(ada.cookies.has('__Host-cart')).toBe(true)
    const before = ada.cookies.get('__Host-cart')
    expect(await items('ada')).toEqual(['tea'])
    expect(ada.cookies.get('__Host-cart')).not.toBe(before)
    expect(await items('ada')).toEqual(['tea'])
    expect(await items()).toEqual([])
    expect(ada.cookies.size).toBe(0)
  },
)
