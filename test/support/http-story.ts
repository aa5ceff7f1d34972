import { expect, test } from 'vitest'
import { type Ask, Visitor } from './visitor.ts'

export interface HttpStoryOptions {
  /** The store ends sessions whose cookie is still out there. */
  readonly revocation?: boolean
  /** The store writes only if nobody else has. */
  readonly conditionalWrites?: boolean
}

const post = { method: 'POST' }

/** The visits that every store has to bear, as a browser makes them. `makeAsk` gives a fresh app (`storyApp`). */
export function httpStory(
  name: string,
  makeAsk: () => Ask | Promise<Ask>,
  { revocation = true, conditionalWrites = true }: HttpStoryOptions = {},
): void {
  const visitor = async (): Promise<Visitor> => new Visitor(await makeAsk())
  const look = async (who: Visitor): Promise<Record<string, unknown>> =>
    JSON.parse(await who.text('/look'))

  test(`${name}: a visitor who leaves nothing behind gets no cookie`, async () => {
    const ada = await visitor()
    const untouched = await ada.visit('/untouched')
    expect(untouched.headers.get('Set-Cookie')).toBeNull()
    expect(untouched.headers.get('Vary')).toBeNull()
    expect(await look(ada)).toEqual({ id: null, isNew: true, owner: null, size: 0, visits: 0 })
    expect(ada.cookies.size).toBe(0)
  })

  test(`${name}: a visitor is recognised on the next visit`, async () => {
    const ada = await visitor()
    expect(await ada.text('/count', post)).toBe('1')
    // A store may keep something for its next read behind the value, after a dot.
    const secret = (): string => ada.cookie.split('.')[0] ?? ''
    const cookie = secret()
    expect(await ada.text('/count', post)).toBe('2')
    expect(await look(ada)).toMatchObject({ isNew: false, visits: 2 })
    if (revocation) expect(secret()).toBe(cookie)
  })

  test(`${name}: two visitors do not meet`, async () => {
    const ask = await makeAsk()
    const [ada, bob] = [new Visitor(ask), new Visitor(ask)]
    await ada.visit('/set/name/ada', post)
    await bob.visit('/set/name/bob', post)
    expect(await ada.text('/get/name')).toBe('"ada"')
    expect(await bob.text('/get/name')).toBe('"bob"')
  })

  test(`${name}: a made-up cookie is no session, and is replaced as soon as something is written`, async () => {
    const mallory = await visitor()
    const planted = 'A'.repeat(43)
    mallory.cookies.set('__Host-session', planted)
    const looked = await mallory.visit('/look')
    expect(await looked.json()).toMatchObject({ id: null, isNew: true })
    // Left alone, or taken back where this store can never have issued it.
    expect(looked.headers.get('Set-Cookie') ?? 'Max-Age=0').toContain('Max-Age=0')
    await mallory.visit('/count', post)
    expect(mallory.cookies.get('__Host-session')).not.toBe(planted)
  })

  test(`${name}: a flash survives the redirect and is shown once`, async () => {
    const ada = await visitor()
    expect((await ada.visit('/flash/Saved', post)).status).toBe(303)
    expect(await look(ada)).toMatchObject({ size: 0 })
    expect(await ada.text('/notice')).toBe('Saved')
    expect(await ada.text('/notice')).toBe('')
  })

  test(`${name}: signing in gives a new cookie, and keeps what it is told to`, async () => {
    const ada = await visitor()
    await ada.visit('/count', post)
    await ada.visit('/set/secret/x', post)
    const before = ada.copy()
    expect((await ada.visit('/sign-in/ada', post)).status).toBe(303)
    expect(await look(ada)).toMatchObject({ owner: 'ada', size: 1, visits: 1 })
    expect(ada.cookie).not.toBe(before.cookie)
    if (revocation) expect(await look(before)).toMatchObject({ isNew: true })
  })

  test(`${name}: after a rotation the old cookie is dead and the data is there`, async () => {
    const ada = await visitor()
    await ada.visit('/count', post)
    const before = ada.copy()
    await ada.visit('/regenerate', post)
    expect(await look(ada)).toMatchObject({ isNew: false, visits: 1 })
    if (revocation) expect(await look(before)).toMatchObject({ isNew: true })
  })

  test(`${name}: signing out takes the cookie, and a copy of it is worthless`, async () => {
    const ada = await visitor()
    await ada.visit('/sign-in/ada', post)
    const copy = ada.copy()
    await ada.visit('/sign-out', post)
    expect(ada.cookies.size).toBe(0)
    if (revocation) expect(await look(copy)).toMatchObject({ isNew: true, owner: null })
  })

  test(`${name}: a notice can be left while signing out`, async () => {
    const ada = await visitor()
    await ada.visit('/sign-in/ada', post)
    const copy = ada.copy()
    await ada.visit('/sign-out-with-notice', post)
    expect(await ada.text('/notice')).toBe('Signed out')
    expect(await look(ada)).toMatchObject({ owner: null })
    if (revocation) expect(await look(copy)).toMatchObject({ isNew: true })
  })

  test(`${name}: a request that failed has changed nothing`, async () => {
    const ada = await visitor()
    await ada.visit('/count', post)
    expect((await ada.visit('/set-and-throw', post)).status).toBe(500)
    expect(await ada.text('/get/thrown')).toBe('null')
    expect(await look(ada)).toMatchObject({ visits: 1 })
  })

  // A store that cannot write on a condition does not promise this.
  if (!conditionalWrites) return
  test(`${name}: fifty visits at once are fifty visits`, async () => {
    const ada = await visitor()
    await ada.visit('/count', post)
    await Promise.all(Array.from({ length: 49 }, () => ada.text('/count', post)))
    expect(await look(ada)).toMatchObject({ visits: 50 })
  })
}
