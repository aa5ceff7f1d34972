import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHROMIUM, IN_A_BROWSER, launch, Person } from './support/browser.ts'
import { type Playground, startPlayground } from './support/playground.ts'

describe.skipIf(!CHROMIUM)(`everybody can use the playground, ${IN_A_BROWSER}`, () => {
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

  /** The name of the element that has the focus, and whether the focus is visible. */
  const focused = (person: Person): Promise<{ name: string; seen: boolean }> =>
    person.page.evaluate(() => {
      const active = document.activeElement as HTMLInputElement
      const ring = active.matches('.store input') ? active.closest('.store') : active
      const { outlineStyle, outlineWidth } = getComputedStyle(ring ?? active)
      const name = active.ariaLabel ?? active.labels?.[0]?.innerText ?? active.innerText
      return { name: name.trim(), seen: outlineStyle !== 'none' && outlineWidth !== '0px' }
    })

  test('with the keyboard alone', async () => {
    const ada = await Person.at(browser, playground.origin)
    const { keyboard } = ada.page
    const key = async (name: string): Promise<void> => {
      await keyboard.press(name)
      await ada.settled()
    }
    await key('Tab')
    expect(await focused(ada)).toEqual({ name: 'Skip to the session', seen: true })
    expect(await ada.page.getByText('Skip to the session').boundingBox()).toMatchObject({ x: 24 })
    await key('Tab')
    expect((await focused(ada)).name).toBe('Count a visit')
    for (let i = 0; i < 4; i++) await key('Tab')
    expect((await focused(ada)).name).toMatch(/^isolate A/)
    await key('Tab')
    expect((await focused(ada)).name).toMatch(/^MemoryStore/)
    for (let i = 0; i < 3; i++) await key('ArrowDown')
    expect((await focused(ada)).name).toMatch(/^D1Store/)
    for (let i = 0; i < 5; i++) await key('Shift+Tab')
    expect((await focused(ada)).name).toBe('Count a visit')
    await key('Enter')
    expect(await ada.status()).toBe('Visit 1. · Created')
    await key('Space')
    expect(await ada.status()).toBe('Visit 2.')
    await ada.page.getByLabel('Key', { exact: true }).focus()
    await key('Shift+Tab')
    await key('Tab')
    await keyboard.type('drink')
    await key('Tab')
    await keyboard.type('tea')
    await key('Enter')
    expect(await ada.text('[data-fact="data"]')).toBe('{"visits":2,"drink":"tea"}')
    await ada.leave()
  })

  test('every control is reached by Tab, has a name, and shows that it has the focus', async () => {
    const ada = await Person.at(browser, `${playground.origin}/?store=d1`)
    await ada.press('Sign in')
    await ada.page.reload()
    await ada.settled()
    const controls = await ada.page.locator('a, button, input:not([type="radio"])').count()
    const reached: string[] = []
    for (let i = 0; i < controls + 1; i++) {
      await ada.page.keyboard.press('Tab')
      const { name, seen } = await focused(ada)
      expect(name, `control ${i}`).not.toBe('')
      expect(seen, name).toBe(true)
      reached.push(name)
    }
    expect(reached[0]).toBe('Skip to the session')
    expect(reached.filter((name) => name.startsWith('D1Store'))).toHaveLength(1)
    expect(reached.at(-1)).toBe('Race in every store')
    await ada.leave()
  })

  test('with a screen reader: landmarks, names and what is said', async () => {
    const ada = await Person.at(browser, playground.origin)
    const { page } = ada
    for (const name of [
      'The last request',
      'In five steps',
      'Session',
      'Cookie',
      'Write',
      'Account',
      'Isolates',
      'What happened',
    ]) {
      expect(await page.getByRole('region', { name, exact: true }).count(), name).toBe(1)
    }
    expect(await page.getByRole('group', { name: 'Your session is kept by' }).count()).toBe(1)
    expect(await page.getByRole('progressbar', { name: 'Ends, if unused, in' }).count()).toBe(1)
    expect(await page.getByRole('table', { name: 'Does it know your session?' }).count()).toBe(1)
    expect(await page.getByRole('meter').count()).toBe(1)
    await ada.press('Ask all three')
    expect(await page.getByRole('status').innerText()).toMatch(/^1 of 3 isolates know/)
    expect(await page.getByRole('cell', { name: 'knows visit 1', exact: true }).count()).toBe(1)
    expect(await page.getByRole('cell', { name: 'no', exact: true }).count()).toBe(2)
    await ada.leave()
  })

  test('in colours of the visitor’s own nothing is said by a background alone', async () => {
    const options = { forcedColors: 'active', viewport: { width: 1360, height: 800 } } as const
    const ada = await Person.at(browser, playground.origin, options)
    await ada.press('Count a visit')
    await ada.press('Race')
    const styles = (selector: string): Promise<{ outline: string; border: string }> =>
      ada.page
        .locator(selector)
        .first()
        .evaluate((element) => {
          const { outlineStyle, borderTopStyle } = getComputedStyle(element)
          return { outline: outlineStyle, border: borderTopStyle }
        })
    expect((await styles('.lamp.lit')).outline).toBe('solid')
    expect((await styles('.store:has(:checked)')).outline).toBe('solid')
    expect((await styles('progress')).border).toBe('solid')
    expect((await styles('.bar')).border).toBe('solid')
    await ada.leave()
  })

  test.each([
    ['light', 1360],
    ['dark', 1360],
    ['light', 768],
    ['dark', 390],
    ['light', 375],
    ['dark', 375],
    ['dark', 320],
  ] as const)(
    'in %s, %i pixels wide: nothing is cut off, and all text can be read',
    async (colorScheme, width) => {
      const options = { colorScheme, viewport: { width, height: 800 } }
      const ada = await Person.at(browser, playground.origin, options)
      await ada.press('Sign in')
      await ada.press('Ask for every store')
      await ada.press('Race')
      const { scrolls, faint } = await ada.page.evaluate(look)
      expect(scrolls).toBe(false)
      expect(faint).toEqual([])
      await ada.leave()
    },
  )
})

/** Runs in the page. Contrast as WCAG 2.2 defines it; 4.5 is what it asks of text. */
function look(): { scrolls: boolean; faint: string[] } {
  const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = (color: string): number => {
    const [r = 0, g = 0, b = 0] = channels(color).map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const background = (element: Element | null): string => {
    if (!element) return 'rgb(255, 255, 255)'
    const { backgroundColor } = getComputedStyle(element)
    const isClear = channels(backgroundColor)[3] === 0
    return isClear ? background(element.parentElement) : backgroundColor
  }
  const hasText = (element: Element): boolean =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim())
  const faint = [...document.body.querySelectorAll('*')]
    .filter((element) => hasText(element) && element.checkVisibility())
    .flatMap((element) => {
      const [a, b] = [getComputedStyle(element).color, background(element)].map(luminance)
      const contrast = (Math.max(a ?? 0, b ?? 0) + 0.05) / (Math.min(a ?? 0, b ?? 0) + 0.05)
      return contrast < 4.5 ? [`${element.textContent}: ${contrast.toFixed(2)}`] : []
    })
  return { scrolls: document.documentElement.scrollWidth > window.innerWidth, faint }
}
