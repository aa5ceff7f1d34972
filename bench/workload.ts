import type { App, Library } from './library.ts'
import type { Question, Work } from './questions.ts'

const SITE = 'https://shop.example'

const PATHS: Record<Work, string> = {
  untouched: '/',
  read: '/read',
  write: '/write',
  begin: '/begin',
  signIn: '/sign-in',
}

/** So many visitors take turns, so that no round is about one session in the processor's cache. */
const VISITORS = 100

interface Visitor {
  cookie: string
  n: number
}

type Ask = (path: string, cookie?: string) => Promise<Response>

/** Makes requests of one kind, one after the other, reads every answer, and checks it. */
export class Workload {
  readonly #app: App
  readonly #library: Library
  /** Plain values only: what holds I/O does not outlive the request that it was made in. */
  #regulars: Visitor[] = []
  #next: Visitor[] = []

  constructor(app: App, library: Library) {
    this.#app = app
    this.#library = library
  }

  async answer({ step, work, n }: Question, env: unknown, ctx: ExecutionContext): Promise<void> {
    const ask: Ask = async (path, cookie) => this.#app.fetch(request(path, cookie), env, ctx)
    if (step === 'prepare') this.#next = await this.#visitorsFor(work, n, ask)
    else await this.#run(work, n, ask)
  }

  async #visitorsFor(work: Work, n: number, ask: Ask): Promise<Visitor[]> {
    const isAnonymous = work === 'untouched' || work === 'begin'
    if (isAnonymous || !this.#library.middleware) return []
    if (work === 'signIn') return beginners(n, ask)
    if (this.#regulars.length === 0) this.#regulars = await beginners(VISITORS, ask)
    return this.#regulars
  }

  async #run(work: Work, n: number, ask: Ask): Promise<void> {
    const visitors = this.#next
    for (let i = 0; i < n; i++) {
      const visitor = visitors.length > 0 ? visitors[i % visitors.length] : undefined
      const response = await ask(PATHS[work], visitor?.cookie)
      await this.#check(work, visitor, response, i === 0, ask)
    }
  }

  /** Nobody is fast by being wrong. `closely`: with further requests, to see that it lasts. */
  async #check(
    work: Work,
    visitor: Visitor | undefined,
    response: Response,
    closely: boolean,
    ask: Ask,
  ): Promise<void> {
    const { inCookie = false, rotates = false, middleware } = this.#library
    const body = await response.text()
    must(response.status === 200, 'answers')
    if (!middleware) return
    if (work === 'untouched') return must(body === 'ok', 'leaves the visitor alone')
    if (work === 'read' && visitor) return must(body === String(visitor.n), `reads ${visitor.n}`)
    const cookie = cookieIn(response)
    if (work === 'begin') {
      must(body === 'ok' && cookie !== undefined, 'begins with a cookie')
      if (closely) must((await read(ask, cookie)) === '0', 'finds again what it has begun with')
      return
    }
    if (!visitor) throw new Error('nobody asked')
    if (work === 'write') {
      const expected = inCookie ? visitor.n + 1 : ++visitor.n
      must(body === String(expected), `writes ${expected}`)
      if (inCookie) must(cookie !== undefined, 'sends the session along')
      if (!closely) return
      const kept = await read(ask, inCookie ? cookie : visitor.cookie)
      return must(kept === String(expected), 'keeps what it wrote')
    }
    must(body === 'ok', 'signs in')
    if (rotates) must(cookie !== undefined && cookie !== visitor.cookie, 'rotates')
    if (!closely) return
    must((await read(ask, cookie ?? visitor.cookie)) === '0', 'keeps what is to be kept')
    if (rotates && !inCookie) must((await read(ask, visitor.cookie)) !== '0', 'ends the old one')
  }
}

/** As browsers send it: there is another cookie before ours. */
function request(path: string, cookie?: string): Request {
  const headers: Record<string, string> = cookie ? { Cookie: `consent=all; ${cookie}` } : {}
  return new Request(SITE + path, { headers })
}

async function beginners(n: number, ask: Ask): Promise<Visitor[]> {
  const visitors: Visitor[] = []
  for (let i = 0; i < n; i++) {
    const response = await ask('/begin')
    await response.text()
    visitors.push({ cookie: cookieIn(response) ?? '', n: 0 })
  }
  return visitors
}

async function read(ask: Ask, cookie?: string): Promise<string> {
  return (await ask('/read', cookie)).text()
}

/** The last one: a library may send several, and the browser keeps that. */
function cookieIn(response: Response): string | undefined {
  return response.headers.getSetCookie().at(-1)?.split(';')[0]
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`a library that does not do its work: ${what}`)
}
