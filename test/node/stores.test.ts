import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { httpStory } from '../support/http-story.ts'
import { bundle, type Isolate, startIsolates } from '../support/isolates.ts'
import { type Ask, Visitor } from '../support/visitor.ts'

const ORIGIN = 'https://shop.example'
const post = { method: 'POST' }
const SHARED = ['d1', 'durable-object'] as const

let code = ''
let directory = ''
let runtime: Miniflare
let door: Isolate

async function start(): Promise<void> {
  const options = { shareStorage: true, resourcePersistencePath: directory }
  const started = await startIsolates(code, 3, options)
  runtime = started.runtime
  door = started.door
  await door(`${ORIGIN}/migrate`, post)
}

beforeAll(async () => {
  code = await bundle('test/support/stores-worker.ts')
  directory = await mkdtemp(join(tmpdir(), 'isolate-session-'))
  await start()
})

afterAll(async () => {
  await runtime?.dispose()
  await rm(directory, { recursive: true, force: true })
})

/** Asks the app of that store, at whichever isolate is next, or always at the same. */
function askOf(store: string, isolate?: number): Ask {
  return (url, init = {}) => {
    const headers = new Headers(init.headers)
    if (isolate !== undefined) headers.set('X-Isolate', String(isolate))
    return door(url.replace(ORIGIN, `${ORIGIN}/${store}`), { ...init, headers })
  }
}

const visitor = (store: string, isolate?: number): Visitor => new Visitor(askOf(store, isolate))

/** The same visitor, whose requests go to one isolate from now on. */
function at(isolate: number, store: string, who: Visitor): Visitor {
  const there = visitor(store, isolate)
  for (const [name, value] of who.cookies) there.cookies.set(name, value)
  return there
}

const look = async (
  who: Visitor,
): Promise<{ isNew: boolean; visits: number; owner: string | null }> =>
  JSON.parse(await who.text('/look'))

describe('three isolates, every request at another', () => {
  for (const store of SHARED) httpStory(store, () => askOf(store))
  httpStory('kv', () => askOf('kv'), { conditionalWrites: false })
})

describe.each(SHARED)('three isolates share %s', (store) => {
  test('two hundred updates of one session at once end at two hundred', async () => {
    const ada = visitor(store)
    await ada.visit('/count', post)
    // In portions: more open requests than that only wait for sockets.
    for (let portion = 0; portion < 4; portion++) {
      const visits = Array.from({ length: portion === 3 ? 49 : 50 }, () => ada.text('/count', post))
      await Promise.all(visits)
    }
    expect(await look(ada)).toMatchObject({ visits: 200 })
  }, 120_000)

  test('a sign-out in one is one in all, also for those that are writing', async () => {
    const ada = visitor(store)
    await ada.visit('/sign-in/ada', post)
    const copy = ada.copy()
    const writing = [0, 1, 2].flatMap((isolate) =>
      Array.from({ length: 5 }, () => at(isolate, store, ada).text('/count', post)),
    )
    await ada.visit('/sign-out', post)
    await Promise.all(writing)
    for (const isolate of [0, 1, 2]) {
      expect(await look(at(isolate, store, copy))).toMatchObject({ isNew: true, owner: null })
    }
  })
})

describe('what CachingStore and KV promise', () => {
  test('a sign-out is seen in every isolate when maxAge is over', async () => {
    const ada = visitor('caching', 0)
    await ada.visit('/sign-in/ada', post)
    const elsewhere = at(1, 'caching', ada)
    expect(await look(elsewhere)).toMatchObject({ owner: 'ada' })
    const copy = at(0, 'caching', ada)
    await ada.visit('/sign-out', post)
    expect(await look(copy)).toMatchObject({ isNew: true })
    // The runtime has a clock of its own: this is the one place that has to wait for it.
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect(await look(elsewhere)).toMatchObject({ isNew: true, owner: null })
  })

  test('KV: a sign-out is seen everywhere, here at once, elsewhere within a minute', async () => {
    const ada = visitor('kv')
    await ada.visit('/sign-in/ada', post)
    const copy = ada.copy()
    await ada.visit('/sign-out', post)
    expect(await look(copy)).toMatchObject({ isNew: true })
  })
})

describe('a restart', () => {
  test('with kept storage keeps sessions in D1, KV and Durable Objects, and loses those of MemoryStore', async () => {
    const stores = ['memory', 'd1', 'kv', 'durable-object']
    const visitors = stores.map((store) => visitor(store, 0))
    for (const who of visitors) {
      await who.visit('/count', post)
      expect(await who.text('/count', post)).toBe('2')
    }
    await runtime.dispose()
    await start()
    const visits = await Promise.all(visitors.map(async (who) => (await look(who)).visits))
    expect(visits).toEqual([0, 2, 2, 2])
  })
})
