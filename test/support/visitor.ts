import type { Hono } from 'hono'

/** Something that answers requests: an app, or a Worker through Miniflare. */
export type Ask = (url: string, init?: RequestInit) => Response | Promise<Response>

/** One person with a browser: keeps the cookies that responses set, and shows them on the next visit. */
export class Visitor {
  readonly #ask: Ask
  readonly #origin: string
  readonly cookies = new Map<string, string>()

  constructor(ask: Ask | Hono<never>, origin = 'https://shop.example') {
    this.#ask = typeof ask === 'function' ? ask : (url, init) => ask.request(url, init)
    this.#origin = origin
  }

  /** The `Cookie` header that the next request will carry. */
  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async visit(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.cookies.size > 0) headers.set('Cookie', this.cookie)
    const response = await this.#ask(this.#origin + path, { redirect: 'manual', ...init, headers })
    for (const line of response.headers.getSetCookie()) this.#keep(line)
    return response
  }

  async text(path: string, init?: RequestInit): Promise<string> {
    return (await this.visit(path, init)).text()
  }

  /** The same person in another tab, or whoever has copied the cookies: from here on both go their own way. */
  copy(): Visitor {
    const copy = new Visitor(this.#ask, this.#origin)
    for (const [name, value] of this.cookies) copy.cookies.set(name, value)
    return copy
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    if (attributes.includes('Max-Age=0')) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}
