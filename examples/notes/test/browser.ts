import { exports } from 'cloudflare:workers'

const ORIGIN = 'https://notes.example'

/** A person with a browser: keeps cookies, follows redirects, says where a form comes from. */
export class Browser {
  readonly cookies = new Map<string, string>()

  async open(path: string): Promise<string> {
    return (await this.#ask(path, {})).text()
  }

  /** Sends a form, and gives the page it leads to. */
  async send(path: string, fields: Record<string, string> = {}, origin = ORIGIN): Promise<string> {
    const body = new URLSearchParams(fields)
    const response = await this.#ask(path, { method: 'POST', headers: { Origin: origin }, body })
    const to = response.headers.get('Location')
    return to === null ? response.text() : this.open(to)
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('Cookie', [...this.cookies].map((pair) => pair.join('=')).join('; '))
    const request = new Request(ORIGIN + path, { ...init, headers, redirect: 'manual' })
    const response = await exports.default.fetch(request)
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }
}
