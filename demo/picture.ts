// `npm exec -- node demo/picture.ts`: draws docs/playground-light.png and docs/playground-dark.png, the strip as the README shows it.
// Needs Chromium, as the browser tests do, and a playground that runs: `npm run dev`.
import { chromium } from 'playwright-core'

const { CHROMIUM_PATH = '/usr/bin/chromium', PLAYGROUND = 'http://localhost:8787' } = process.env

const browser = await chromium.launch({ executablePath: CHROMIUM_PATH, args: ['--no-sandbox'] })
for (const colorScheme of ['light', 'dark'] as const) {
  const context = await browser.newContext({
    colorScheme,
    viewport: { width: 1100, height: 800 },
    deviceScaleFactor: 1.5,
  })
  const page = await context.newPage()
  await page.goto(`${PLAYGROUND}/?store=d1`)
  const press = async (name: string): Promise<void> => {
    await page.getByRole('button', { name, exact: true }).click()
    await page.waitForFunction(() => document.querySelector('main')?.ariaBusy === 'false')
  }
  await page.getByLabel('any of three').check()
  for (let visit = 1; visit <= 4; visit++) await press('Count a visit')
  await page.mouse.move(0, 0)
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
  const strip = page.getByRole('region', { name: 'The last request' })
  await strip.screenshot({ path: `docs/playground-${colorScheme}.png` })
  await context.close()
}
await browser.close()
