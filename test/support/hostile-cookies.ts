import { Hono } from 'hono'
import { expect } from 'vitest'
import { MemoryStore, type SessionEnv, session } from '../../src/index.ts'
import { FaultyStore, sessionCookie } from '../../src/testing.ts'

/** A small seeded generator (mulberry32), so that a failure can be run again. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const NAME = '__Host-session'
const WELL_FORMED = /^[\w-]{42}[AEIMQUYcgkosw048]$/

/** Not our name, however much it looks like it. */
const LOOK_ALIKES = [
  '__host-session',
  '__HOST-SESSION',
  '__Host-Session',
  '__Host-sessio',
  '__Host-session2',
  '__Host-session ',
  'x__Host-session',
  '__Host-session[]',
  '__%48ost-session',
  '\u00a0__Host-session',
  '\u2000__Host-session',
  '\ufeff__Host-session',
  '=__Host-session',
  '$Version',
  '__Host‑session',
  '__Host-ſession',
  '"__Host-session"',
  '__Host-session\0',
  '__Secure-session',
  'session',
  '',
  ' ',
  '__proto__',
]

const ODD = [
  '\0',
  '"',
  '%',
  '%41',
  '=',
  '==',
  '+',
  '/',
  ' ',
  '\t',
  ',',
  '\\',
  '\r',
  '\n',
  'é',
  '€',
  '😀',
  '\ud800',
  '\udfff',
  '\u00a0',
  '{',
  '<',
  "'",
  '.',
  '~',
  '*',
]

const SEPARATORS = ['; ', ';', ' ; ', ';;', ';\t', ' ;  ;']

/** Random cookie headers, none of which holds one well-formed value under our name. */
class HostileHeaders {
  readonly #random: () => number
  readonly #real: string

  constructor(seed: number, real: string) {
    this.#random = generator(seed)
    this.#real = real
  }

  next(): string {
    const kind = this.#random()
    if (kind < 0.0005) return this.#pair().repeat(1) + '; a=b'.repeat(20_000)
    if (kind < 0.001) return `${NAME}=${'x'.repeat(100_000)}`
    if (kind < 0.0012) return `${this.#lookAlike()}; `.repeat(2000) + this.#pair()
    if (kind < 0.1) return this.#different()
    const pairs = Array.from({ length: 1 + this.#below(4) }, () => this.#pair())
    return pairs.reduce((header, pair) => header + this.#pick(SEPARATORS) + pair)
  }

  /** Several different values under our name, some of them real. */
  #different(): string {
    const values = [this.#real, this.#malformed(), this.#flipped()]
    const first = this.#below(3)
    const header = `${NAME}=${values[first]}${this.#pick(['; ', ';', ' ;\t'])}${NAME}=${values[(first + 1) % 3]}`
    return this.#random() < 0.3 ? `${header}; ${this.#pair()}` : header
  }

  #pair(): string {
    const choice = this.#random()
    if (choice < 0.6) return `${NAME}=${this.#malformed()}`
    if (choice < 0.9) return this.#lookAlike()
    return this.#pick([
      NAME,
      'theme=dark',
      '=',
      '',
      `${NAME} =${this.#real}`,
      `a=${NAME}=${this.#real}`,
    ])
  }

  #lookAlike(): string {
    return `${this.#pick(LOOK_ALIKES)}=${this.#random() < 0.5 ? this.#real : this.#malformed()}`
  }

  /** Something that is not well-formed, and mostly almost is. A semicolon would make two cookies of it. */
  #malformed(): string {
    const value = this.#malform().replaceAll(';', '')
    return WELL_FORMED.test(value.trim()) ? `${value}x` : value
  }

  #malform(): string {
    const at = this.#below(44)
    const [head, tail] = [this.#real.slice(0, at), this.#real.slice(at)]
    switch (this.#below(9)) {
      case 0:
        return head
      case 1:
        return head + this.#pick(ODD) + tail
      case 2:
        return head + this.#pick(ODD) + tail.slice(1)
      case 3:
        return this.#real.slice(0, 42) + this.#pick(['B', 'C', 'D', 'F', 'x', '1', '-', '_'])
      case 4:
        return `"${this.#real}"`
      case 5:
        return `${this.#real}, ${NAME}=${this.#real}`
      case 6:
        return encodeURIComponent(`${head}${this.#pick(['é', '/', '='])}${tail}`)
      case 7:
        return this.#real.repeat(1 + this.#below(20)) + this.#pick(ODD)
      default:
        return Array.from({ length: this.#below(60) }, () =>
          String.fromCharCode(this.#below(0xffff)),
        ).join('')
    }
  }

  /** Another value, in good shape. */
  #flipped(): string {
    const at = this.#below(42)
    const other = this.#real[at] === 'A' ? 'B' : 'A'
    return this.#real.slice(0, at) + other + this.#real.slice(at + 1)
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T
  }
}

/** Sends that many hostile headers through the middleware: no throw, no session, no call to the store, no cookie but one taken back. */
export async function fuzzCookies(count: number): Promise<void> {
  const seed = Date.now() & 0x7fffffff
  console.log(`hostile cookies: ${count} headers, seed ${seed}`)
  const store = new FaultyStore(new MemoryStore({ name: `hostile-${seed}`, warn: false }))
  const cookie = await sessionCookie(store, { secret: true })
  const headers = new HostileHeaders(seed, cookie.split('; ')[0]?.replace('session=', '') ?? '')
  const app = new Hono<SessionEnv>()
  app.use(session({ store }))
  app.get('/', (c) =>
    c.body(c.var.session.isNew && c.var.session.size === 0 ? 'stranger' : 'known'),
  )
  const calls = store.calls.length
  for (let i = 0; i < count; i++) {
    const header = headers.next()
    // A real Headers refuses some of these; a proxy or another runtime may not.
    const request = { url: 'https://shop.example/', method: 'GET', headers: { get: () => header } }
    const response = await app.fetch(request as unknown as Request)
    if (
      response.status !== 200 ||
      store.calls.length !== calls ||
      !(response.headers.get('Set-Cookie') ?? '=; Max-Age=0').includes('=; Max-Age=0')
    ) {
      expect.fail(`header ${i} of seed ${seed}: ${JSON.stringify(header.slice(0, 300))}`)
    }
    if (i % 1000 === 0) expect(await response.text()).toBe('stranger')
  }
}
