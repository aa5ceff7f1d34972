import { applyD1Migrations } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { D1Store } from 'isolate-session/d1'
import { sessionCookie } from 'isolate-session/testing'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { Browser } from './browser.js'

beforeAll(() => applyD1Migrations(env.DB, env.MIGRATIONS))
beforeEach(() => env.DB.exec('DELETE FROM sessions; DELETE FROM notes; DELETE FROM users'))

const ada = { name: 'ada', password: 'analytical engine' }

const registered = async (user: Record<string, string> = ada): Promise<Browser> => {
  const browser = new Browser()
  expect(await browser.send('/register', user)).toContain(`Welcome, ${user.name}!`)
  return browser
}

test('somebody registers, notes something, and finds it on another device', async () => {
  const phone = await registered()
  expect(await phone.send('/notes', { text: 'Bernoulli <numbers>' })).toContain('Noted.')
  const laptop = new Browser()
  const page = await laptop.send('/sign-in', ada)
  expect(page).toContain('Welcome back, ada!')
  expect(page).toContain('Bernoulli &lt;numbers&gt;')
  const [, id = ''] = /\/notes\/(\d+)\/delete/.exec(page) ?? []
  expect(await laptop.send(`/notes/${id}/delete`)).not.toContain('Bernoulli')
  expect(await phone.open('/')).not.toContain('Bernoulli')
})

test('a notice is shown once', async () => {
  const phone = await registered()
  await phone.send('/notes', { text: 'tea' })
  expect(await phone.open('/')).not.toContain('Noted.')
})

test('a stranger sees the way in and nothing else, and gets no cookie for looking', async () => {
  const stranger = new Browser()
  expect(await stranger.open('/')).toContain('action="/sign-in"')
  expect(stranger.cookies.size).toBe(0)
  expect(await stranger.send('/notes', { text: 'spam' })).toContain('Please sign in.')
})

test('a wrong password, an unknown name, a name that is taken, a password too short', async () => {
  await registered()
  const mallory = new Browser()
  const wrong = 'Name or password is wrong.'
  expect(await mallory.send('/sign-in', { ...ada, password: 'difference' })).toContain(wrong)
  expect(await mallory.send('/sign-in', { ...ada, name: 'bob' })).toContain(wrong)
  expect(await mallory.send('/register', { ...ada, name: 'ADA' })).toContain('That name is taken.')
  expect(await mallory.send('/register', { name: 'eve', password: 'short' })).toContain(
    '8 characters',
  )
  const { n } =
    (await env.DB.prepare('SELECT count(*) AS n FROM users').first<{ n: number }>()) ?? {}
  expect(n).toBe(1)
})

test('the database holds neither the password nor the cookie', async () => {
  const phone = await registered()
  const tables = await Promise.all(
    ['users', 'sessions'].map((table) => env.DB.prepare(`SELECT * FROM ${table}`).all()),
  )
  const stored = JSON.stringify(tables.map(({ results }) => results))
  expect(stored).not.toContain(ada.password)
  expect(stored).not.toContain(phone.cookies.get('__Host-session'))
})

test('signing in replaces the cookie, signing out ends it', async () => {
  const phone = await registered()
  const first = new Browser()
  for (const [name, value] of phone.cookies) first.cookies.set(name, value)
  await phone.send('/sign-in', ada)
  expect(await first.open('/')).toContain('action="/sign-in"')

  const copy = new Browser()
  for (const [name, value] of phone.cookies) copy.cookies.set(name, value)
  expect(await phone.send('/sign-out')).toContain('Signed out.')
  expect(await copy.open('/')).toContain('action="/sign-in"')
})

test('devices: one is signed out, then all others', async () => {
  const laptop = await registered()
  const others = [new Browser(), new Browser(), new Browser()]
  for (const other of others) await other.send('/sign-in', ada)
  const list = await laptop.open('/devices')
  expect(list.match(/Signed in/g)).toHaveLength(4)
  const [, id = ''] = /\/devices\/([\w-]+)\/end"/.exec(list) ?? []
  expect(await laptop.send(`/devices/${id}/end`)).toContain('Signed out there.')
  expect(await laptop.send('/devices/end-others')).toContain('Signed out elsewhere: 2.')
  for (const other of others) expect(await other.open('/')).toContain('action="/sign-in"')
  expect(await laptop.open('/')).toContain('A new note')
})

test('nobody reads, deletes or signs out what is somebody else’s', async () => {
  const phone = await registered()
  const page = await phone.send('/notes', { text: 'Bernoulli' })
  const [, note = ''] = /\/notes\/(\d+)\/delete/.exec(page) ?? []
  const mallory = await registered({ name: 'mallory', password: 'correct horse' })
  expect(await mallory.open('/')).not.toContain('Bernoulli')
  await mallory.send(`/notes/${note}/delete`)
  const [{ id } = { id: '' }] = await new D1Store(env.DB).sessionsOf('1')
  await mallory.send(`/devices/${id}/end`)
  expect(await phone.open('/')).toContain('Bernoulli')
})

test('a form on another site is refused', async () => {
  const phone = await registered()
  expect(await phone.send('/notes', { text: 'spam' }, 'https://evil.example')).toBe('Forbidden')
  expect(await phone.open('/')).not.toContain('spam')
})

test('pages stay out of shared caches and other people’s frames', async () => {
  const cookie = await sessionCookie(new D1Store(env.DB), { name: 'ada' }, { owner: '1' })
  const { headers } = await exports.default.fetch('https://notes.example/', {
    headers: { Cookie: cookie },
  })
  expect(headers.get('Cache-Control')).toBe('private')
  expect(headers.get('Content-Security-Policy')).toBe("default-src 'self'")
})
