import type { Browser, Cookie } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHROMIUM, IN_A_BROWSER, launch, Person } from './support/browser.ts'
import { type Playground, startAlone } from './support/playground.ts'

const STORES = ['memory', 'cookie', 'durable-object', 'd1', 'kv', 'caching']

describe.skipIf(!CHROMIUM).each([
  { protocol: 'http', prefix: '', secure: false },
  { protocol: 'https', prefix: '__Host-', secure: true },
] as const)(`the cookie over $protocol, ${IN_A_BROWSER}`, ({ protocol, prefix, secure }) => {
  let playground: Playground
  let browser: Browser

  beforeAll(async () => {
    playground = await startAlone(protocol)
    browser = await launch()
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await playground?.stop()
  })

  test.each(STORES)('of %s is as the documentation says', async (store) => {
    const ada = await Person.at(browser, `${playground.origin}/?store=${store}`)
    const cookies = (): Promise<Cookie[]> => ada.page.context().cookies()
    const now = Date.now() / 1000
    expect(await cookies()).toEqual([])
    await ada.press('Count a visit')
    const [cookie, ...more] = await cookies()
    const name = prefix + (store === 'memory' ? 'session' : `session-${store}`)
    expect(more).toEqual([])
    expect(cookie).toMatchObject({
      name,
      domain: 'localhost',
      path: '/',
      httpOnly: true,
      secure,
      sameSite: 'Lax',
    })
    if (!cookie) throw new Error('there is a cookie')
    expect(cookie.expires).toBeGreaterThan(now + 299)
    expect(cookie.expires).toBeLessThan(Date.now() / 1000 + 301)

    // No script sees it, and no part of the page shows its value.
    expect(await ada.page.evaluate(() => document.cookie)).toBe('')
    expect(await ada.page.content()).not.toContain(cookie.value)
    const bytes = cookie.name.length + cookie.value.length
    await ada.press('Take it')
    // The page calls it what an app's cookie is called, whichever store it is of.
    const shown = name.replace(`-${store}`, '')
    const shows = `The browser shows ${shown}, ${bytes} of 4,096 bytes.`
    expect(await ada.text('[data-fact="cookie-state"]')).toBe(shows)
    const line = (await ada.text('[data-fact="cookie-line"]')).replaceAll('\n', '')
    expect(line).toBe(
      `Set-Cookie: ${shown}=${cookie.value.length} bytes; Max-Age=300; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`,
    )

    await ada.press('Sign in')
    const [after] = await cookies()
    expect(after?.value).not.toBe(cookie.value)
    await ada.press('Sign out')
    expect(await cookies()).toEqual([])
    await ada.leave()
  })
})
