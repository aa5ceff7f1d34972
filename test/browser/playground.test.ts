import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHROMIUM, IN_A_BROWSER, launch, Person } from './support/browser.ts'
import { type Playground, startAlone, startPlayground } from './support/playground.ts'

describe.skipIf(!CHROMIUM)(`the playground, ${IN_A_BROWSER}`, () => {
  let playground: Playground
  let browser: Browser

  beforeAll(async () => {
    playground = await startPlayground()
    browser = await launch()
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await playground?.stop()
  })

  const arrive = (path = '/'): Promise<Person> => Person.at(browser, playground.origin + path)

  /** Every button, what is said when it was pressed, and what has happened to the session. */
  const BUTTONS: [name: string, says: RegExp][] = [
    ['Take it', /^There is no flash message\.$/],
    ['New cookie value', /^There is no session to rotate\.$/],
    ['Count a visit', /^Visit 1\. · Created$/],
    ['Count a visit', /^Visit 2\.$/],
    ['Sign in as ada', /^Signed in as ada\. · Rotated · Signed in$/],
    ['Sign out', /^Signed out\. · Destroyed$/],
    ['Count a visit', /^Visit 1\. · Created$/],
    ['Count a visit', /^Visit 2\.$/],
    ['New cookie value', /^A new cookie value, the same data\. · Rotated$/],
    ['Set', /^Set colour\.$/],
    ['Leave it', /^Left a flash message/],
    ['Take it', /^Took the flash message “Saved!”\.$/],
    ['Take it', /^There is no flash message\.$/],
    ['Sign in', /^Signed in as ada\. · Rotated · Signed in$/],
    ['Open a connection', /^A connection was asked for/],
    ['Sign in on another device', /^ada has signed in on another device/],
    ['Sign in on another device', /^ada has signed in on another device/],
    ['Sign out everywhere else', /^Signed out on 2 other devices\.$/],
    ['Ask all three', /^1 of 3 isolates know the session\. · Rejected$/],
    ['Ask for every store', /^Asked the isolates for the session of every store\./],
    ['Visit A', /^Visit 3, as isolate A counts\./],
    ['Visit B', /^Visit 1, as isolate B counts\./],
    ['Visit C', /^Visit 1, as isolate C counts\./],
    ['Race', /^\d+ of 20 kept by set, 20 by update\./],
    ['Race in every store', /^Raced in every store\./],
    ['End after 20 s unused', /^From now on this session ends when it is not used for 20 s\./],
    ['Sign out', /^Signed out\. · Destroyed$/],
    ['Sign out during a request', /^The slow request found the session gone.* · Gone/],
    ['Nobody', /^Nobody: nothing was written, so there is no cookie\.$/],
    ['A visit', /^Visit 1\. There is a cookie now\. · Created$/],
    ['Deploy', /^Three visits by three isolates: they count 1, 1, 1\. · Rejected · Created$/],
    ['Choose a store', /^Three visits by three isolates, kept in D1: they count \d+, \d+, \d+\./],
    ['Sign out everywhere', /^Signed out on \d+ other devices?\. This one stays\./],
    ['Copy it', /^Copied a Worker with D1Store\.$/],
  ]

  test('every button does what it says', async () => {
    const ada = await arrive()
    await ada.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await ada.page.getByText('Copy this Worker').click()
    const names = await ada.page.locator('button').allInnerTexts()
    expect(new Set(BUTTONS.map(([name]) => name))).toEqual(new Set(names))
    for (const [name, says] of BUTTONS) expect(await ada.press(name), name).toMatch(says)
    const copied = await ada.page.evaluate(() => navigator.clipboard.readText())
    expect(copied).toContain('new D1Store(env.DB)')
    await ada.leave()
  })

  test('the strip shows the last request: the line, the isolate, the calls, the answer', async () => {
    const ada = await arrive('/?store=d1')
    const strip = (name: string): Promise<string> => ada.text(`[data-fact="strip-${name}"]`)
    expect(await strip('line')).toBe("session.get('visits')")
    expect(await strip('calls')).toMatch(/^No call: there is no cookie/)
    expect(await strip('cookie')).toBe('no Set-Cookie')
    await ada.press('Count a visit')
    expect(await strip('line')).toBe("session.update('visits', (n = 0) => n + 1)")
    expect(await strip('store')).toBe('D1Store')
    expect(await strip('calls')).toBe('storeSession → stored, with a new cookie value')
    expect(await strip('answer')).toBe('Visit 1')
    expect(await strip('cookie')).toBe('Set-Cookie: session=…; Max-Age=300')
    await ada.press('Count a visit')
    expect(await strip('calls')).toBe('loadSession → found\nstoreSession → stored')
    expect(await strip('cookie')).toBe('no Set-Cookie')
    await ada.press('Sign out')
    expect(await strip('calls')).toBe('loadSession → found\ndestroySession → removed')
    expect(await strip('cookie')).toBe('Set-Cookie: session=; Max-Age=0')
    await ada.leave()
  })

  test.each([
    ['memory', [1, 1, 1, 1]],
    ['d1', [1, 2, 3, 4]],
    ['durable-object', [1, 2, 3, 4]],
    ['cookie', [1, 2, 3, 4]],
  ])('as on Cloudflare, the same button counts with %s: %j', async (store, counts) => {
    const ada = await arrive(`/?store=${store}`)
    await ada.page.getByLabel('any of three').check()
    const lit: string[] = []
    for (const count of counts) {
      await ada.press('Count a visit')
      expect(await ada.text('[data-fact="strip-answer"]')).toBe(`Visit ${count}`)
      lit.push(await ada.text('.lamp.lit'))
    }
    expect(lit).toEqual(['B', 'C', 'A', 'B'])
    await ada.page.getByLabel('isolate A').check()
    await ada.press('Count a visit')
    expect(await ada.text('.lamp.lit')).toBe('A')
    await ada.leave()
  })

  test('what was asked of the isolates is not shown any more when something has happened since', async () => {
    const ada = await arrive('/?store=d1')
    const row = (): Promise<string[]> => ada.page.locator('[data-row="d1"] td').allInnerTexts()
    await ada.press('Ask all three')
    expect((await row()).join()).toContain('knows')
    await ada.press('Sign out')
    expect(await row()).toEqual(['not asked', 'not asked', 'not asked'])
    expect(await ada.text('[data-fact="state"]')).toMatch(/^No session any more/)
    await ada.leave()
  })

  test('without JavaScript nothing looks as if it could be used', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(playground.origin)
    const notice = await page.locator('noscript p').boundingBox()
    expect(notice?.height).toBeGreaterThan(20)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await page.locator('main :focus').count()).toBe(0)
    await context.close()
  })

  test.each(['durable-object', 'd1', 'memory'])(
    'with %s an open connection closes within a second when another tab signs out',
    async (store) => {
      const ada = await arrive(`/?store=${store}`)
      await ada.press('Count a visit')
      await ada.press('Open a connection')
      const state = ada.page.locator('[data-fact="connection"]')
      expect(await state.innerText()).toMatch(/^Open\./)
      const other = await ada.page.context().newPage()
      await other.goto(ada.page.url())
      await other.getByRole('button', { name: 'Sign out', exact: true }).first().click()
      await expect
        .poll(() => state.innerText(), { timeout: 2000 })
        .toMatch(/^Closed\. The session has ended/)
      await other.close()
      await ada.leave()
    },
  )

  test('a session in its cookie says that nobody can know', async () => {
    const ada = await arrive('/?store=cookie')
    await ada.press('Count a visit')
    await ada.press('Open a connection')
    const state = ada.page.locator('[data-fact="connection"]')
    await expect
      .poll(() => state.innerText())
      .toMatch(/^Closed\. A session in its cookie cannot be read again/)
    await ada.leave()
  })

  test('a device is signed out by the button beside it', async () => {
    const ada = await arrive('/?store=d1')
    await ada.page.getByLabel('User').fill('ada-devices')
    await ada.press('Sign in')
    await ada.press('Sign in on another device')
    const others = ada.page.locator('.devices button[data-action="sign-out-device"]')
    expect(await others.count()).toBe(1)
    await others.first().focus()
    await ada.page.keyboard.press('Enter')
    await ada.settled()
    expect(await ada.status()).toMatch(/^Signed out on /)
    expect(await others.count()).toBe(0)
    expect(await ada.page.evaluate(() => document.activeElement?.id)).toBe('devices')
    await ada.page.locator('.devices button').click()
    await ada.settled()
    expect(await ada.text('[data-fact="state"]')).toMatch(/^No session/)
    await ada.leave()
  })

  test.each(['cookie', 'kv'])('%s says that it cannot list devices', async (store) => {
    const ada = await arrive(`/?store=${store}`)
    await ada.press('Sign in')
    expect(await ada.text('[data-fact="devices-note"]')).toContain('cannot find sessions')
    await ada.leave()
  })

  test('of three isolates one knows what MemoryStore keeps, and all what D1 keeps', async () => {
    const ada = await arrive()
    const row = async (store: string): Promise<string[]> => {
      const cells = await ada.page.locator(`[data-row="${store}"] td`).allInnerTexts()
      return cells.map((text) => text.replace(/^[✓–]\s*/, '').replaceAll('\n', ' '))
    }
    await ada.press('Ask all three')
    expect(await row('memory')).toEqual(['knows visit 1', 'no', 'no'])
    const ids = await ada.page.locator('[data-isolate-id]').allInnerTexts()
    expect(new Set(ids).size).toBe(3)
    await ada.choose('d1')
    expect(await ada.press('Ask all three')).toMatch(/^3 of 3/)
    expect(await row('d1')).toEqual(['knows visit 1', 'knows visit 1', 'knows visit 1'])
    expect(await ada.press('Visit C')).toMatch(/^Visit 2/)
    expect(await row('d1')).toEqual(['knows visit 2', 'knows visit 2', 'knows visit 2'])
    await ada.press('Ask for every store')
    for (const store of ['cookie', 'durable-object', 'kv', 'caching']) {
      expect(await row(store), store).toEqual(['knows visit 1', 'knows visit 1', 'knows visit 1'])
    }
    // Who does not know the cookie gives another one, which the first does not know.
    await ada.choose('memory')
    await ada.press('Visit B')
    expect(await row('memory')).toEqual(['no', 'knows visit 1', 'no'])
    await ada.leave()
  })

  test('a race loses counts by set, and by update where there is no conditional write', async () => {
    const ada = await arrive()
    await ada.press('Race in every store')
    const kept = async (store: string, way: string): Promise<number> => {
      const text = await ada.text(`[data-race="${store}"] [data-way="${way}"]`)
      expect(text).toMatch(/^\d+ of 20, (all kept|\d+ lost)$/)
      const width = ada.page.locator(`[data-race="${store}"] [data-way="${way}"] rect + rect`)
      expect(await width.getAttribute('width')).toBe(String(Number.parseInt(text, 10)))
      return Number.parseInt(text, 10)
    }
    for (const store of ['memory', 'durable-object', 'd1', 'caching']) {
      expect(await kept(store, 'set'), store).toBeLessThan(20)
      expect(await kept(store, 'update'), store).toBe(20)
    }
    for (const store of ['cookie', 'kv']) {
      expect(await kept(store, 'update'), store).toBeLessThan(20)
    }
    await ada.leave()
  })

  test.each([
    ['durable-object', /brought nothing back\. · Created · Destroyed · Gone$/],
    ['d1', /brought nothing back\. · Created · Destroyed · Gone$/],
    ['caching', /brought nothing back\. · Created · Destroyed · Gone$/],
    ['kv', /did not notice: this store cannot write on a condition\./],
    ['cookie', /did not notice: this store cannot write on a condition\./],
  ])('a sign-out during a request, in %s', async (store, says) => {
    const ada = await arrive(`/?store=${store}`)
    expect(await ada.press('Sign out during a request')).toMatch(says)
    await ada.leave()
  })

  test('two tabs share a session, and see at once what the other did', async () => {
    const first = await arrive('/?store=d1')
    await first.press('Count a visit')
    const second = await first.tab(`${playground.origin}/?store=d1`)
    expect(await second.text('[data-fact="data"]')).toBe('{"visits":1}')
    await first.press('Count a visit')
    await expect.poll(() => second.text('[data-fact="data"]')).toBe('{"visits":2}')
    await second.press('Sign in')
    await expect.poll(() => first.text('[data-fact="state"]')).toBe('Signed in as ada.')
    await first.press('Sign out')
    await expect.poll(() => second.text('[data-fact="state"]')).toMatch(/^No session/)
    expect(second.complaints).toEqual([])
    await first.leave()
  })

  test('the back button shows no private page after a sign-out', async () => {
    const ada = await arrive('/?store=d1')
    await ada.press('Sign in')
    await ada.page.getByRole('link', { name: 'Private page' }).click()
    expect(await ada.text('h1')).toBe('Only ada sees this')
    await ada.page.getByRole('button', { name: 'Sign out' }).click()
    await ada.page.waitForURL('**/?store=d1')
    await ada.page.goBack()
    await ada.page.waitForURL('**/?store=d1#signed-out')
    expect(await ada.page.getByText('Only ada').count()).toBe(0)
    expect(await ada.page.locator('#signed-out').isVisible()).toBe(true)
    await ada.leave()
  })

  test('the back button shows no private page after a sign-out elsewhere', async () => {
    const ada = await arrive('/?store=d1')
    await ada.press('Sign in')
    await ada.page.getByRole('link', { name: 'Private page' }).click()
    await ada.page.getByRole('link', { name: 'Back to the playground' }).click()
    await ada.page.waitForURL('**/?store=d1')
    await ada.settled()
    await ada.press('Sign out')
    await ada.page.goBack()
    await ada.page.waitForURL('**/?store=d1#signed-out')
    expect(await ada.page.getByText('Only ada').count()).toBe(0)
    await ada.leave()
  })

  test('the clocks run down, and the page says when the session has run out', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.clock.install()
    await page.goto(playground.origin)
    await page.getByRole('button', { name: 'Count a visit' }).click()
    const idle = page.locator('[data-fact="idle-left"]')
    await expect.poll(() => idle.innerText()).toMatch(/^(5 min 0 s|4 min 5\d s)$/)
    await page.clock.fastForward(60_000)
    await expect.poll(() => idle.innerText()).toMatch(/^(4 min 0 s|3 min 5\d s)$/)
    expect(await page.locator('[data-fact="absolute-left"]').innerText()).toMatch(/^2[89] min/)
    await page.clock.fastForward(241_000)
    await expect.poll(() => page.locator('[data-fact="state"]').innerText()).toContain('run out')
    expect(await page.locator('.timeline .expired').count()).toBe(1)
    expect(await page.locator('[data-fact="cookie-state"]').innerText()).toContain('forgotten')
    await context.close()
  })

  test('the timeline does not grow without end', async () => {
    const ada = await arrive()
    for (let i = 0; i < 45; i++) await ada.press('Take it')
    expect(await ada.page.locator('.timeline > li').count()).toBe(40)
    await ada.leave()
  })

  test('the policy lets no inline script run', async () => {
    const ada = await arrive()
    const ran = await ada.page.evaluate(() => {
      const script = document.createElement('script')
      try {
        script.textContent = 'window.ran = true'
      } catch {} // trusted types
      document.body.append(script)
      document.body.setAttribute('style', 'color: red')
      return [(window as { ran?: true }).ran === true, document.body.style.color]
    })
    expect(ran).toEqual([false, ''])
    // So the other tests would have seen a violation.
    expect(ada.complaints.join()).toContain('Content Security Policy')
    await ada.page.context().close()
  })

  test('where there is one isolate only, the page says so', async () => {
    const alone = await startAlone()
    try {
      const ada = await Person.at(browser, alone.origin)
      expect(await ada.press('Count a visit')).toBe('Visit 1. · Created')
      expect(await ada.page.getByText('Only one isolate can be asked here').isVisible()).toBe(true)
      expect(await ada.page.getByRole('button', { name: 'Ask all three' }).isVisible()).toBe(false)
      await ada.leave()
    } finally {
      await alone.stop()
    }
  }, 120_000)
})
