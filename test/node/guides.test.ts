import { expect } from 'vitest'
import { D1Store } from '../../src/stores/d1.ts'
import { makeSecret } from '../support/secret.ts'
import { Visitor } from '../support/visitor.ts'
import { form, ORIGIN, type RunningWorker, setCookie, story } from './guide.ts'

const COUNT = `
app.get('/count', (c) => {
  c.var.session.update('n', (n) => Number(n ?? 0) + 1)
  return c.text(String(c.var.session.get('n')))
})`

async function counts({ ask }: RunningWorker): Promise<void> {
  const ada = new Visitor(ask, ORIGIN)
  expect(await ada.text('/count')).toBe('1')
  expect(await ada.text('/count')).toBe('2')
}

const SECRET = makeSecret()

story(
  'docs/cookies.md',
  0,
  'CookieStore: the theme is in the cookie',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    expect(await ada.text('/')).toBe('light')
    expect((await ada.visit('/dark', { method: 'POST' })).status).toBe(303)
    expect(await ada.text('/')).toBe('dark')
  },
  { variables: { SESSION_SECRET: SECRET } },
)

story(
  'docs/cookies.md',
  1,
  'a signed cookie',
  async (worker) => {
    await counts(worker)
    const ada = new Visitor(worker.ask, ORIGIN)
    await ada.visit('/count')
    expect(ada.cookie).toMatch(/^__Host-session=[\w-]{43}\.[\w-]{43}$/)
  },
  { variables: { SESSION_SECRET: SECRET }, more: COUNT },
)

const migrated =
  (tell: (worker: RunningWorker) => Promise<void>) =>
  async (worker: RunningWorker): Promise<void> => {
    const db = await worker.runtime.getD1Database('DB', 'app')
    await new D1Store(db as never).migrate()
    await tell(worker)
  }

async function threeVisits({ ask }: RunningWorker): Promise<void> {
  const ada = new Visitor(ask, 'http://localhost:8787')
  for (const visit of [1, 2, 3]) expect(await ada.text('/')).toBe(`Visit ${visit}`)
  expect([...ada.cookies.keys()]).toEqual(['session'])
}

story('docs/memory-store.md', 0, 'MemoryStore, outgrown: one line for Durable Objects', counts, {
  more: COUNT,
})

story('docs/recipes/vite.md', 0, 'the Worker that Vite starts', threeVisits)
story('docs/getting-started.md', 0, 'getting started: a first Worker', threeVisits)
async function signInAndOut({ ask }: RunningWorker): Promise<void> {
  const origin = 'http://localhost:8787'
  const ada = new Visitor(ask, origin)
  expect(await ada.text('/')).toBe('Hello stranger, visit 1. ')
  expect((await ada.visit('/sign-in', form({ name: 'ada' }, 'http://evil.test'))).status).toBe(403)
  const old = ada.copy()
  expect((await ada.visit('/sign-in', form({ name: 'ada' }, origin))).status).toBe(303)
  expect(await ada.text('/')).toBe('Hello ada, visit 2. Welcome!')
  expect(await ada.text('/')).toBe('Hello ada, visit 3. ')
  expect(await old.text('/')).toBe('Hello stranger, visit 1. ')
  await ada.visit('/sign-out', form({}, origin))
  expect(await ada.text('/')).toBe('Hello stranger, visit 1. ')
}
story('docs/getting-started.md', 1, 'getting started: sign in, sign out', signInAndOut)
story('docs/getting-started.md', 2, 'getting started: a store that lasts', migrated(signInAndOut))

/** The small apps after the move: a count that a sign-in keeps and a sign-out ends. */
const afterMove =
  (says: (count: number, who: string) => string) =>
  async ({ ask }: RunningWorker): Promise<void> => {
    const ada = new Visitor(ask, ORIGIN)
    expect(await ada.text('/')).toBe(says(1, 'stranger'))
    await ada.visit('/sign-in', form({}))
    expect(await ada.text('/')).toBe(says(2, 'ada'))
    await ada.visit('/sign-out', form({}))
    expect(await ada.text('/')).toBe(says(1, 'stranger'))
  }

story(
  'docs/migration.md',
  0,
  'from hono-sessions',
  afterMove((count) => `Visit ${count}`),
)
story(
  'docs/migration.md',
  2,
  'from @hono/session',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    expect(await ada.text('/')).toBe('theme: light')
    expect(setCookie(await ada.visit('/dark', form({})))).toContain('Max-Age=3600;')
    expect(await ada.text('/')).toBe('theme: dark')
  },
  { variables: { AUTH_SECRET: SECRET } },
)
story(
  'docs/migration.md',
  4,
  'from express-session',
  afterMove((count, who) => `${who}, ${count}`),
  { variables: { SECRET } },
)
story(
  'docs/migration.md',
  5,
  'from Tide',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    for (const visit of [1, 2]) expect(await ada.text('/')).toBe(`Visit ${visit}`)
    await ada.visit('/sign-out', form({}))
    expect(await ada.text('/')).toBe('Visit 1')
  },
  { variables: { SECRET } },
)

story('docs/stores.md', 0, 'DurableObjectStore', counts, { more: COUNT })
story('docs/stores.md', 1, 'D1Store', migrated(counts), { more: COUNT })
story('docs/stores.md', 2, 'KVStore', counts, { more: COUNT })
story('docs/stores.md', 3, 'CachingStore', migrated(counts), { more: COUNT })

/** A route of the old app, under the old middleware. */
const oldRoute = (code: string): string => `
app.get('/old', old as never, async (c) => {
  const before = c.get('session') as any
  ${code}
  return c.text('old')
})`

/** Visits the new app as somebody with a session of the old library, and looks for the old session afterwards. */
function carriedOver(oldCookie: string, greetings: [first: string, second: string]) {
  return async ({ ask }: RunningWorker): Promise<void> => {
    for (const origin of [ORIGIN, 'http://localhost:8787']) {
      const name = origin === ORIGIN ? '__Host-session' : 'session'
      const ada = new Visitor(ask, origin)
      await ada.visit('/old')
      expect([...ada.cookies.keys()]).toEqual([oldCookie])
      const planted = ada.copy()
      expect(await ada.text('/')).toBe(greetings[0])
      expect([...ada.cookies.keys()]).toEqual([name])
      expect(await ada.text('/')).toBe(greetings[1])
      // Moved once: the old cookie is worth nothing any more, unless all that there was is in it.
      if (oldCookie === 'session') expect(await planted.text('/')).toBe('stranger, visit 1')
      const stranger = new Visitor(ask, origin)
      stranger.cookies.set(oldCookie, 'of-another-time')
      expect(await stranger.text('/')).toMatch(/^stranger, /)
      expect([...stranger.cookies.keys()].filter((key) => key !== name)).toEqual([])
    }
  }
}

story(
  'docs/migration.md',
  1,
  'visitors of hono-sessions stay signed in, over https and http',
  carriedOver('session', ['ada, visit 8', 'ada, visit 9']),
  { more: oldRoute("before.set('user', 'ada'); before.set('visits', 7)") },
)
story(
  'docs/migration.md',
  3,
  'visitors of @hono/session stay signed in, over https and http',
  carriedOver('sid', ['ada, dark', 'ada, dark']),
  {
    variables: { AUTH_SECRET: SECRET },
    more: oldRoute("await before.update({ user: 'ada', theme: 'dark' })"),
  },
)

story('docs/skill/SKILL.md', 0, 'the Worker of the skill', async ({ ask }) => {
  const ada = new Visitor(ask, ORIGIN)
  expect(await ada.text('/')).toBe('stranger, visit 1. ')
  expect(await (await ada.visit('/cart', form({}))).json()).toEqual(['tea'])
  await ada.visit('/sign-in', form({ name: 'ada', remember: 'on' }))
  expect(await ada.text('/')).toBe('ada, visit 1. Welcome!')
  const other = new Visitor(ask, ORIGIN)
  await other.visit('/sign-in', form({ name: 'ada' }))
  const ended = await ada.visit('/sign-out-everywhere-else', form({}))
  expect(await ended.json()).toEqual({ ended: 1 })
  expect(await other.text('/')).toBe('stranger, visit 1. ')
  await ada.visit('/sign-out', form({}))
  expect(await ada.text('/')).toBe('stranger, visit 1. ')
})
