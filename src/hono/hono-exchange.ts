import type { Context } from 'hono'
import type { Exchange } from '../http/exchange.ts'
import { type CookieLine, personalize } from '../http/response.ts'

interface ResponseProperty {
  get(this: Context): Response
  set(this: Context, response: Response | undefined): void
}

/** The sessions that watch `c.res`, and the accessor that was there before. */
interface Watch {
  readonly before: ResponseProperty
  readonly watchers: HonoExchange[]
}

const WATCH: unique symbol = Symbol('sessions that watch c.res')

type Watched = Context & { [WATCH]?: Watch }

/** One accessor for every context: with functions of its own each would cost more than all else that a session does. */
const WATCHED_RESPONSE: ResponseProperty & PropertyDescriptor = {
  configurable: true,
  get(this: Watched): Response {
    const { before, watchers } = watchOf(this)
    for (const watcher of watchers) watcher.willShow()
    return before.get.call(this)
  },
  set(this: Watched, response: Response | undefined): void {
    const { before, watchers } = watchOf(this)
    for (const watcher of watchers) watcher.willPut()
    before.set.call(this, response)
  },
}

function watchOf(c: Watched): Watch {
  return c[WATCH] as Watch
}

/** The accessor behind `c.res` by the prototype of a context: there is one for each copy of Hono in the isolate. */
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
  readonly #c: Watched
  readonly request: Request
  /** The headers that middleware outside of ours has set, where that had to be noted. */
  #outer: Headers | undefined
  /** The copy that we made last: the only response that may be changed. */
  #ours: Response | undefined
  /** What every response has to say that is put on the context; `undefined`: nothing. */
  #marks: { readonly cookie: CookieLine | undefined } | undefined
  #isWatching = false
  /** A response has been put on the context, and nobody has looked at it since. */
  #isUnmarked = false
  /** Hono's own, until somebody inside has called it. */
  #header: Context['header'] | undefined

  constructor(c: Context) {
    this.#c = c
    this.request = c.req.raw
  }

  get context(): Context {
    return this.#c
  }

  get response(): Response | undefined {
    return this.#c.finalized ? this.#own() : undefined
  }

  waitUntil(work: Promise<unknown>): void {
    try {
      this.#c.executionCtx.waitUntil(work)
    } catch {
      // No execution context outside of Workers: there nothing cancels it.
    }
  }

  noteOuter(): void {
    this.#outer ??= this.#waiting()
  }

  /** The headers that wait for a response. One that nobody sends is the only way to see them. */
  #waiting(): Headers {
    return this.#c.newResponse(null, 200).headers
  }

  /** The handler threw past us, so its response is still to come and can be marked. */
  isComing = false

  /** Whatever response goes out from now on is marked. */
  mark(cookie?: CookieLine): void {
    this.#marks = { cookie }
    this.watch()
    if (this.#c.finalized) this.#put(this.#own())
    else if (!cookie) this.#prepare()
  }

  /**
   * What Hono's own `c.text`, `c.json` and `c.html` make from now on has the marks from birth, and needs no copy. Where somebody
   * has asked for something already, the marks wait for the response.
   */
  #prepare(): void {
    const header = this.#header
    if (!header) return // somebody inside has set headers
    this.noteOuter()
    if (this.#outer?.has('Cache-Control') || this.#outer?.has('Vary')) return
    header('Vary', 'Cookie')
    header('Cache-Control', 'private')
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

  /** Nothing of the handler's response goes out, but what middleware outside of ours has put on it does. */
  discard(cookie?: CookieLine): void {
    const c = this.#c
    c.res = undefined // or Hono would merge the two
    c.res = new Response(null, { headers: this.#outer ?? this.#waiting() })
    if (cookie) this.mark(cookie)
  }

  watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    const c = this.#c
    this.#noteOuterFirst()
    const watch = c[WATCH]
    if (watch) return void watch.watchers.push(this)
    c[WATCH] = { before: propertyOf(c), watchers: [this] }
    Object.defineProperty(c, 'res', WATCHED_RESPONSE)
  }

  /** Most requests need no note, so it is taken when somebody inside sets the first header. */
  #noteOuterFirst(): void {
    const c = this.#c
    const { header } = c
    this.#header = header
    c.header = (...args: Parameters<typeof header>) => {
      c.header = header
      this.#header = undefined
      this.noteOuter()
      header(...args)
    }
  }

  /** Somebody is about to look at the response, or to set headers on one that waits for the handler's. */
  willShow(): void {
    if (!this.#c.finalized) this.noteOuter()
    else if (this.#isUnmarked) {
      this.#isUnmarked = false
      this.#put(this.#own())
    }
  }

  willPut(): void {
    // Marked when somebody looks at it: most of the time that is only at the end, when what it says is known.
    this.#isUnmarked = true
  }

  /** The response as it is, without being looked at. */
  #own(): Response {
    const c = this.#c
    return (c[WATCH]?.before ?? propertyOf(c)).get.call(c)
  }

  /** The handler is done, and this is what its response has to say. From here on it is up to others. */
  finish(cookie: CookieLine | undefined, isPersonal: boolean): void {
    this.#marks = isPersonal || cookie ? { cookie } : undefined
    this.#put(this.#own())
    this.#marks = undefined
    this.#isUnmarked = false
  }

  #put(response: Response): void {
    if (!this.#marks) return
    const marked = personalize(response, this.#marks.cookie, this.#ours)
    if (marked === response) return
    this.#ours = marked
    const { set } = this.#c[WATCH]?.before ?? propertyOf(this.#c)
    set.call(this.#c, undefined) // or Hono would merge the two
    set.call(this.#c, marked)
  }
}
