import { accessSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Undefined if there is no browser on this machine. A `CHROMIUM_PATH` that is set has to be one. */
export const CHROMIUM: string | undefined = process.env.CHROMIUM_PATH ?? PLACES.find(exists)

/** The title of the tests, which says it when they cannot run. */
export const IN_A_BROWSER: string = CHROMIUM
  ? `in ${CHROMIUM}`
  : 'NOT TESTED: there is no Chromium here. Get it with `apt-get install chromium`, or set CHROMIUM_PATH'

if (!CHROMIUM) console.warn(`\n\n  ${IN_A_BROWSER}.\n\n`)

function exists(path: string): boolean {
  try {
    accessSync(path)
    return true
  } catch {
    return false
  }
}

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM ?? '',
    // The browser's memory of pages is what the back button is tried against.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** A person at the playground, with a browser that has seen nothing yet. */
export class Person {
  /** Complaints in the console and of the content security policy. */
  readonly complaints: string[] = []
  readonly #page: Page

  private constructor(page: Page) {
    this.#page = page
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text())
    })
    page.on('pageerror', (error) => this.complaints.push(error.message))
  }

  static async at(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<Person> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options })
    return Person.#open(await context.newPage(), url)
  }

  /** The same person, in one more tab. */
  async tab(url: string): Promise<Person> {
    return Person.#open(await this.#page.context().newPage(), url)
  }

  static async #open(page: Page, url: string): Promise<Person> {
    const person = new Person(page)
    await page.goto(url)
    await person.settled()
    return person
  }

  get page(): Page {
    return this.#page
  }

  /** Until the page has done what it was told. */
  async settled(): Promise<void> {
    await this.#page.waitForFunction(
      () => (document.querySelector('main')?.ariaBusy ?? 'false') === 'false',
    )
  }

  async press(name: string | RegExp): Promise<string> {
    await this.#page.getByRole('button', { name, exact: true }).first().click()
    await this.settled()
    return this.status()
  }

  /** The last message for screen readers. */
  async status(): Promise<string> {
    return this.text('[role="status"]')
  }

  async text(selector: string): Promise<string> {
    return (await this.#page.locator(selector).innerText()).trim()
  }

  async choose(store: string): Promise<void> {
    await this.#page.locator(`[name="store"][value="${store}"]`).check()
    await this.settled()
  }

  async leave(): Promise<void> {
    await this.#page.context().close()
    expect(this.complaints).toEqual([])
  }
}
