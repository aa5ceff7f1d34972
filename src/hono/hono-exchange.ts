import type { Context } from 'hono'
import type { Exchange } from '../http/exchange.ts'
import { type CookieLine, personalize } from '../http/response.ts'

/** `c.res` is an accessor: these are its two functions. */
interface ResponseProperty {
  get(this: Context): Response
  set(this: Context, response: Response | undefined): void
}

/** The sessions that watch `c.res`, and the accessor that was there before. */
interface Watch {
  readonly before: ResponseProperty
  readonly watchers: HonoExchange[]
}

/** Where a context keeps its watch: a symbol, so that it meets no property of Hono or of the app. */
const WATCH: unique symbol = Symbol('sessions that watch c.res')

type Watched = Context & { [WATCH]?: Watch }

/** One accessor shared by all contexts. Making two functions for each request would cost more than the rest of a session. */
const WATCHED_RESPONSE: ResponseProperty & PropertyDescriptor = {
  configurable: true,
  get(this: Watched): Response {
    const { before, watchers } = this[WATCH] as Watch
    for (const watcher of watchers) watcher.willShow()
    return before.get.call(this)
  },
  set(this: Watched, response: Response | undefined): void {
    const { before, watchers } = this[WATCH] as Watch
    const isFirst = !this.finalized
    for (const watcher of watchers) {
      if (isFirst && mergesResponses) watcher.noteOuter()
      // Marked when somebody looks at it. Usually that is at the end, when it is known what it has to say.
      watcher.isUnmarked = true
    }
    before.set.call(this, response)
    if (isFirst && response) mergesResponses ||= response !== before.get.call(this)
  },
}

/**
 * Has Hono ever merged the first response with what was on `c.res` before it? Then middleware outside of ours uses `c.res`, as
 * `cors` does, and what it puts there can only be noted before it is merged. Otherwise nothing need be noted in requests that
 * only read.
 */
let mergesResponses = false

/** Hono's own accessors for `c.res`, by the prototype of the context: an isolate may hold several copies of Hono. */
const accessors = new WeakMap<object, ResponseProperty>()

/** The accessor behind `c.res`: Hono's own, or one that somebody has put in front of it. */
function propertyOf(c: Context): ResponseProperty {
  const own = Object.getOwnPropertyDescriptor(c, 'res')
  if (own) return own as ResponseProperty
  const prototype: object = Object.getPrototypeOf(c)
  const known = accessors.get(prototype)
  if (known) return known
  const found = Object.getOwnPropertyDescriptor(prototype, 'res') as ResponseProperty
  accessors.set(prototype, found)
  return found
}

/**
 * A Hono context, as the session has to see it.
 *
 * Middleware between ours and the handler (a cache, say) sees the response before we do. So from the first look at the
 * session on, every response that is put on the context is marked as it is put there: `c.res` gets a setter of its own.
 */
export class HonoExchange implements Exchange<Context> {
  readonly context: Watched
  readonly request: Request
  /**
   * A response of what middleware outside of ours has set, before somebody inside adds to it. If the store fails, this goes
   * out.
   */
  #outer: Response | undefined
  /** The marks for every response that is put on the context. `undefined` while there are none. */
  #marks: { readonly cookie: CookieLine | undefined } | undefined
  /** The accessor of `c.res` that was there before ours; `undefined` until we watch. */
  #before: ResponseProperty | undefined
  /** A response has been put on the context, and nobody has looked at it since. */
  isUnmarked = false

  constructor(c: Context) {
    this.context = c
    this.request = c.req.raw
  }

  /** The response, without counting as somebody who looks at it. */
  get response(): Response | undefined {
    const c = this.context
    return c.finalized ? (this.#before ?? propertyOf(c)).get.call(c) : undefined
  }

  /** Hono's getter throws where there is no execution context: in Node, and in tests that call `app.request()`. */
  waitUntil(work: Promise<unknown>): void {
    try {
      this.context.executionCtx.waitUntil(work)
    } catch {
      // Outside of Workers nothing would cancel the work.
    }
  }

  /** The handler threw past us, so its response is still to come and can be marked. */
  isComing = false

  /** From now on every response is marked, whoever makes it. */
  mark(cookie?: CookieLine): void {
    this.#marks = { cookie }
    if (!this.#before) this.watch()
    const { response } = this
    if (response) this.#put(response, cookie)
  }

  /** The same if there is no response yet: it will be made from the headers that wait for one. */
  markComing(cookie?: CookieLine): void {
    const c = this.context
    this.isComing = true
    this.mark(cookie)
    if (cookie) c.header('Set-Cookie', cookie.line, { append: true })
    c.header('Vary', 'Cookie', { append: true })
    c.header('Cache-Control', cookie ? 'no-store' : 'private')
  }

  /** Nothing of the handler's response goes out, but what middleware outside of ours has put on it does. */
  discard(cookie?: CookieLine): void {
    const c = this.context
    c.res = undefined // or Hono would merge the two
    c.res = this.#outer ?? c.newResponse(null, 200)
    if (cookie) this.mark(cookie)
  }

  /**
   * Puts our accessor in front of `c.res`, and looks out for the first `c.header`. Of two sessions on one context the second joins the
   * first, so that `before` is Hono's own for both.
   */
  watch(): void {
    const c = this.context
    const watch = c[WATCH]
    const before = watch?.before ?? propertyOf(c)
    this.#before = before
    if (watch) watch.watchers.push(this)
    else {
      c[WATCH] = { before, watchers: [this] }
      Object.defineProperty(c, 'res', WATCHED_RESPONSE)
    }
    const { header } = c
    c.header = (...args: Parameters<typeof header>) => {
      c.header = header
      this.noteOuter()
      header(...args)
    }
  }

  /** Making a response, which nobody sends, is the only way to see the headers that wait for one. It takes a tenth of a read. */
  noteOuter(): void {
    const c = this.context
    if (!c.finalized) this.#outer ??= c.newResponse(null, 200)
  }

  /** Somebody is about to look at the response, or to set headers on one that waits for the handler's. */
  willShow(): void {
    const { response } = this
    if (!response) this.noteOuter()
    else if (this.isUnmarked && this.#marks) this.#put(response, this.#marks.cookie)
    this.isUnmarked = false
  }

  /** The handler is done, and this is what its response has to say. From here on it is up to others. */
  finish(response: Response, cookie: CookieLine | undefined): void {
    this.#put(response, cookie)
    this.#marks = undefined
    this.isUnmarked = false
  }

  /** Puts the marked response on the context, if it is not marked already. */
  #put(response: Response, cookie: CookieLine | undefined): void {
    const marked = personalize(response, cookie)
    if (marked === response) return
    const c = this.context
    const { set } = this.#before ?? propertyOf(c)
    set.call(c, undefined) // or Hono would merge the two
    set.call(c, marked)
  }
}
