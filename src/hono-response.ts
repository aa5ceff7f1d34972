import type { Context } from 'hono'
import { type CookieLine, personalize } from './response.js'

interface ResponseProperty {
  get(this: Context): Response
  set(this: Context, response: Response | undefined): void
}

/** The accessor behind `c.res`: Hono's own, or that of another session on the same context. */
function propertyOf(c: Context): ResponseProperty {
  const own = Object.getOwnPropertyDescriptor(c, 'res')
  return (own ?? Object.getOwnPropertyDescriptor(Object.getPrototypeOf(c), 'res')) as never
}

/**
 * The response of a Hono context, as the session has to see it.
 *
 * Middleware between ours and the handler (a cache, say) sees the response before we do. So from the first look at the
 * session on, every response that is put on the context is marked as it is put there: `c.res` gets a setter of its own.
 */
export class HonoResponse {
  readonly #c: Context
  /** The headers that middleware outside of ours has set. */
  #outer: Headers | undefined
  /** The copy that we made last: the only response that may be changed. */
  #ours: Response | undefined
  /** What every response has to say that is put on the context; `undefined`: nothing. */
  #marks: { readonly cookie: CookieLine | undefined } | undefined
  /** `c.res` as it was before it got a setter of ours. */
  #before: ResponseProperty | undefined

  constructor(c: Context) {
    this.#c = c
  }

  /** Notes what middleware outside of ours has put on the response, which stays if the handler's is thrown away. */
  noteOuter(): void {
    // A response that nobody sends is the only way to see headers that wait for one.
    this.#outer ??= this.#c.newResponse(null, 200).headers
  }

  /** The same, but not before somebody inside sets the first header: most requests do not need it. */
  noteOuterLater(): void {
    const c = this.#c
    const { header } = c
    c.header = (...args: Parameters<typeof header>) => {
      this.noteOuter()
      c.header = header
      header(...args)
    }
  }

  /** The handler threw past us, so its response is still to come and can be marked. */
  isComing = false

  /** Whatever response goes out from now on is marked. */
  mark(cookie?: CookieLine): void {
    this.#marks = { cookie }
    if (!this.#before) this.#watch()
    if (this.#c.finalized) this.#put(this.#c.res)
  }

  /** The same if there is no response yet: it will be made from the headers that wait for one. */
  markComing(cookie?: CookieLine): void {
    const c = this.#c
    this.isComing = true
    this.mark(cookie)
    if (cookie) c.header('Set-Cookie', cookie.line, { append: true })
    c.header('Vary', 'Cookie', { append: true })
    c.header('Cache-Control', cookie ? 'no-store' : 'private')
  }

  /** Nothing of the handler's response goes out. */
  discard(): void {
    const c = this.#c
    c.res = undefined // or Hono would merge the two
    c.res = new Response(null, this.#outer && { headers: this.#outer })
  }

  #watch(): void {
    const c = this.#c
    const before = propertyOf(c)
    this.#before = before
    Object.defineProperty(c, 'res', {
      configurable: true,
      get: () => before.get.call(c),
      set: (response: Response | undefined) => {
        before.set.call(c, response)
        if (response) this.#put(before.get.call(c))
      },
    })
  }

  /** The handler is done, and this is what its response has to say. From here on it is up to others. */
  finish(cookie: CookieLine | undefined, isPersonal: boolean): void {
    this.#marks = isPersonal || cookie ? { cookie } : undefined
    this.#put(this.#c.res)
    this.#marks = undefined
  }

  #put(response: Response): void {
    if (!this.#marks) return
    const marked = personalize(response, this.#marks.cookie, this.#ours)
    if (marked === response) return
    this.#ours = marked
    const { set } = this.#before ?? propertyOf(this.#c)
    set.call(this.#c, undefined) // or Hono would merge the two
    set.call(this.#c, marked)
  }
}
