import { expect } from 'vitest'
import { Visitor } from '../support/visitor.ts'
import { form, ORIGIN, setCookie, story } from './guide.ts'

story(
  'docs/recipes/api-with-cors.md',
  0,
  'CORS: the page that is listed, and no other',
  async ({ ask }) => {
    const PAGE = 'https://app.example.com'
    const api = new Visitor(ask, 'https://api.example.com')
    const put = (theme: string, origin: string): RequestInit => ({
      method: 'PUT',
      headers: { Origin: origin, 'Content-Type': 'application/json' },
      body: JSON.stringify({ theme }),
    })

    const preflight = (origin: string): Promise<Response> =>
      api.visit('/theme', {
        method: 'OPTIONS',
        headers: { Origin: origin, 'Access-Control-Request-Method': 'PUT' },
      })
    const allowed = await preflight(PAGE)
    expect(allowed.headers.get('Access-Control-Allow-Origin')).toBe(PAGE)
    expect(allowed.headers.get('Access-Control-Allow-Credentials')).toBe('true')
    expect(allowed.headers.get('Access-Control-Allow-Methods')).toContain('PUT')
    const refused = await preflight('https://evil.example')
    expect(refused.headers.get('Access-Control-Allow-Origin')).toBeNull()
    expect(api.cookies.size).toBe(0)

    const answer = await api.visit('/theme', put('dark', PAGE))
    expect(await answer.json()).toEqual({ theme: 'dark' })
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(PAGE)
    const read = await api.visit('/theme', { headers: { Origin: PAGE } })
    expect(await read.json()).toEqual({ theme: 'dark' })
    expect(read.headers.get('Vary')).toBe('Cookie, Origin')
    expect(read.headers.get('Cache-Control')).toBe('private')

    const foreign = await api.visit('/theme', { headers: { Origin: 'https://evil.example' } })
    expect(foreign.headers.get('Access-Control-Allow-Origin')).toBeNull()
    // Sent by a browser without a preflight.
    const simple = await api.visit('/theme', { ...form({ theme: 'dark' }, 'https://evil.example') })
    expect(simple.status).toBe(403)
  },
)

story('docs/recipes/csrf.md', 0, 'CSRF: a form of another origin is refused', async ({ ask }) => {
  const ada = new Visitor(ask, ORIGIN)
  expect(await ada.text('/')).toContain('<form method="post" action="/email">')
  const email = { email: 'ada@example.com' }
  for (const origin of ['https://evil.example', 'https://evil.shop.example', 'null']) {
    const response = await ada.visit('/email', form(email, origin))
    expect(response.status).toBe(403)
    expect(response.headers.get('Set-Cookie')).toBeNull()
  }
  expect(
    (await ada.visit('/email', { method: 'POST', body: new URLSearchParams(email) })).status,
  ).toBe(403)
  expect((await ada.visit('/email', form(email))).status).toBe(303)
  expect(await ada.text('/')).toContain('<p>Saved.</p>')
  expect(await ada.text('/')).toContain('<p></p>')
})

story(
  'docs/recipes/two-sessions.md',
  0,
  'two sessions: two cookies, and neither knows the other',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    const tea = await ada.visit('/cart/tea', { method: 'POST', headers: { Origin: ORIGIN } })
    expect(setCookie(tea)).toMatch(
      /^__Host-session=[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    )
    expect((await ada.visit('/admin')).status).toBe(401)
    expect((await ada.visit('/admin/sign-in', form({ password: 'guess' }))).status).toBe(403)

    const signedIn = await ada.visit('/admin/sign-in', form({ password: 'open sesame' }))
    expect(setCookie(signedIn)).toMatch(
      /^__Secure-admin=[\w-]{43}; Path=\/admin; HttpOnly; SameSite=Strict; Secure$/,
    )
    expect(await (await ada.visit('/admin')).json()).toEqual({
      admin: 'administrator',
      cart: ['tea'],
    })

    const shopper = new Visitor(ask, ORIGIN)
    shopper.cookies.set('__Secure-admin', ada.cookies.get('__Host-session') ?? '')
    expect((await shopper.visit('/admin')).status).toBe(401)
  },
  { variables: { ADMIN_PASSWORD: 'open sesame' } },
)

story(
  'docs/recipes/remember-me.md',
  0,
  'remember me: the cookie lives as long as was asked for',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    const signIn = { name: 'ada', password: 'open sesame' }
    expect((await ada.visit('/sign-in', form({ ...signIn, password: '' }))).status).toBe(403)
    expect(setCookie(await ada.visit('/sign-in', form({ ...signIn, remember: 'on' })))).toContain(
      'Max-Age=2592000;',
    )
    expect(await ada.text('/')).toBe('Hello ada')
    expect(setCookie(await ada.visit('/sign-in', form(signIn)))).not.toContain('Max-Age')
  },
  { variables: { DEMO_PASSWORD: 'open sesame' } },
)

story(
  'docs/recipes/devices.md',
  0,
  'devices: listed, ended one by one, and all others at once',
  async ({ ask }) => {
    const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
    const signIn = async (name: string): Promise<Visitor> => {
      const who = new Visitor(ask, ORIGIN)
      const init = form({ name, password: 'open sesame' })
      const headers = { ...init.headers, 'User-Agent': AGENT }
      expect((await who.visit('/sign-in', { ...init, headers })).status).toBe(303)
      return who
    }
    /** How many there are, and the ids of those that may be signed out from here. */
    const devices = async (who: Visitor): Promise<{ count: number; others: string[] }> => {
      const page = await who.text('/devices')
      expect(page.match(/\(this one\)/g)).toHaveLength(1)
      expect(page).toContain('Firefox on Linux')
      return {
        count: page.match(/last used \d{4}-/g)?.length ?? 0,
        others: [...page.matchAll(/devices\/([\w-]{43})\/end/g)].map(([, id = '']) => id),
      }
    }
    const post = { method: 'POST', headers: { Origin: ORIGIN } }

    const [phone, laptop, tablet] = [await signIn('ada'), await signIn('ada'), await signIn('ada')]
    const mallory = await signIn('mallory')
    expect((await devices(laptop)).count).toBe(3)
    const seenFromTablet = (await devices(tablet)).others
    const phoneId = (await devices(laptop)).others.find((id) => seenFromTablet.includes(id))

    expect((await mallory.visit(`/devices/${phoneId}/end`, post)).status).toBe(404)
    expect((await laptop.visit(`/devices/${phoneId}/end`, post)).status).toBe(303)
    expect((await phone.visit('/devices')).status).toBe(401)

    expect(await laptop.text('/devices/end-others', post)).toBe('1 ended')
    expect((await tablet.visit('/devices')).status).toBe(401)
    expect((await devices(laptop)).count).toBe(1)
    expect((await devices(mallory)).count).toBe(1)

    for (let n = 0; n < 5; n++) await signIn('ada')
    expect((await laptop.visit('/devices')).status).toBe(401) // the oldest of six
    expect((await devices(await signIn('ada'))).count).toBe(5)
  },
  { variables: { DEMO_PASSWORD: 'open sesame' } },
)
