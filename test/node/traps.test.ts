import type { Miniflare } from 'miniflare'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bundle, startIsolates } from '../support/isolates.ts'
import { Visitor } from '../support/visitor.ts'

const post = { method: 'POST' }
let runtime: Miniflare
let origin = ''

const visitor = (): Visitor => new Visitor((url, init) => fetch(url, init), origin)
const setDelay = (ms: number): Promise<string> => visitor().text(`/delay/${ms}`, post)
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

beforeAll(async () => {
  const started = await startIsolates(await bundle('test/support/trap-worker.ts'))
  runtime = started.runtime
  origin = (await runtime.ready).origin
})

beforeEach(() => setDelay(0))
afterAll(() => runtime?.dispose())

/** Sends a request and leaves before it is answered. */
async function leave(who: Visitor, path: string, after: number): Promise<void> {
  const headers = { 'X-Leave-After': String(after) }
  expect(await who.text(path, { ...post, headers })).toBe('left')
}

// The runtime decides by its own clock here, so these are the only tests that wait.
describe('what Workers do to requests', () => {
  test('M13 a client that leaves while its write is under way does not stop it', async () => {
    const ada = visitor()
    await ada.visit('/count', post)
    await setDelay(400)
    await leave(ada, '/count', 600) // the load is done, the write has begun
    await sleep(600)
    await setDelay(0)
    expect(await ada.text('/count', post)).toBe('3')
  })

  test('Y4 a request that was given up hangs nobody else', async () => {
    const ada = visitor()
    await ada.visit('/count', post)
    await setDelay(200)
    await leave(ada, '/count', 50) // while it loads
    await leave(ada, '/count', 50)
    await setDelay(0)
    const answers = await Promise.all([ada.text('/count', post), ada.text('/get/visits')])
    expect(Number(answers[0])).toBeGreaterThanOrEqual(2)
  })

  test('slow requests of one visitor at once all count', async () => {
    const ada = visitor()
    await ada.visit('/count', post)
    await setDelay(5)
    await Promise.all(Array.from({ length: 20 }, () => ada.text('/count', post)))
    await setDelay(0)
    expect(await ada.text('/count', post)).toBe('22')
  })

  test('a sign-out during slow requests stays one', async () => {
    const ada = visitor()
    await ada.visit('/sign-in/ada', post)
    const copy = ada.copy()
    await setDelay(100)
    const slow = [copy.copy().text('/count', post), copy.copy().text('/set/a/b', post)]
    await sleep(150) // they have loaded
    await ada.visit('/sign-out', post)
    await Promise.all(slow)
    await setDelay(0)
    expect(JSON.parse(await copy.text('/look'))).toMatchObject({ isNew: true, owner: null })
  })

  test('an isolate that dies in the middle takes its sessions along, and the next one works', async () => {
    const ada = visitor()
    await ada.visit('/count', post)
    await setDelay(500)
    const cut = visitor()
    cut.cookies.set('session', ada.cookies.get('session') ?? '')
    const dying = cut.visit('/count', post).then(
      (response) => response.status,
      () => 'cut off',
    )
    await sleep(100)
    await visitor()
      .visit('/die', post)
      .catch(() => {})
    expect(await dying).not.toBe(200)
    // The runtime starts again with a new isolate.
    let answer = ''
    for (let attempt = 0; attempt < 50 && answer === ''; attempt++) {
      answer = await ada.text('/count', post).catch(() => sleep(100).then(() => ''))
    }
    expect(answer).toBe('1')
  })
})
