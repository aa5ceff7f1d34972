// Tools that the rules share. No test runner is imported: the caller passes `test`, and its assertions throw
// plain errors that begin with the rule's letter and number.

import { SessionError, type SessionErrorCode } from '../errors.ts'
import { Session } from '../session/session.ts'
import type { SessionStore } from '../storage/session-store.ts'

/** Abilities of a store. All true unless said otherwise; one that is false is not tested. */
export interface StoreCapabilities {
  /** It writes only if nobody else has (T6, T7). */
  readonly conditionalWrites?: boolean
  /** It finds sessions by owner (O1). */
  readonly owners?: boolean
  /** It can remove everything (`clearStore`). */
  readonly clear?: boolean
  /** It keeps records, so that it can end a session whose cookie is still out there. */
  readonly revocation?: boolean
}

export interface Rule {
  /** The rules of the contract it checks, for the title and the message of a failure. */
  readonly rules: string
  readonly title: string
  /** Without one of these the check does not apply. */
  readonly needs?: keyof StoreCapabilities | readonly (keyof StoreCapabilities)[]
  readonly check: (kit: StoreTest) => Promise<void>
}

/** The tools of a check: one store, and assertions that name the rule. */
export class StoreTest {
  readonly #rules: string
  readonly store: SessionStore
  readonly can: Required<StoreCapabilities>

  constructor(rules: string, store: SessionStore, capabilities: StoreCapabilities) {
    this.#rules = rules
    this.store = store
    this.can = {
      conditionalWrites: true,
      owners: true,
      clear: true,
      revocation: true,
      ...capabilities,
    }
  }

  /** `expectation`: the sentence that should be true, for the message of the failure. */
  assert(condition: unknown, expectation: string): asserts condition {
    if (!condition) throw new Error(`${this.#rules}: ${expectation}`)
  }

  /** Compares as JSON, which is what a session holds. */
  equal(actual: unknown, expected: unknown, expectation: string): void {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
    this.assert(a === b, `${expectation}: expected ${b}, got ${a}`)
  }

  /** Stores a new session with this data and gives its cookie value. */
  async issue(
    data: Record<string, unknown> = {},
    change?: (session: Session) => void,
  ): Promise<string> {
    const session = new Session()
    change?.(session)
    for (const [key, value] of Object.entries(data)) session.set(key, value)
    const value = await this.store.storeSession(session)
    this.assert(typeof value === 'string', 'storeSession gives the cookie value of a new session')
    return value
  }

  /** Loads a session by its cookie value. Fails the rule if the store does not find it. */
  async load(value: string): Promise<Session> {
    const session = await this.store.loadSession(value)
    this.assert(session, 'loadSession gives the session that was stored under a cookie value')
    return session
  }

  /** Loads, changes, stores, and gives the cookie value that the client has from then on. */
  async change(value: string, change: (session: Session) => void): Promise<string> {
    const session = await this.load(value)
    change(session)
    return (await this.store.storeSession(session)) ?? value
  }

  async read(value: string, key: string): Promise<unknown> {
    return (await this.load(value)).get(key)
  }

  async isGone(value: string): Promise<boolean> {
    return (await this.store.loadSession(value)) === undefined
  }

  /** Two requests that have loaded the same session, each with its own copy. */
  async twoRequests(value: string): Promise<[Session, Session] | undefined> {
    const [a, b] = [await this.load(value), await this.load(value)]
    // A store that hands one object to both fails T13, and only that.
    return a === b ? undefined : [a, b]
  }

  /** How a call ends, where a store may choose between ways that are all right. */
  async codeOf(
    attempt: () => Promise<unknown>,
  ): Promise<SessionErrorCode | 'no error' | 'another error'> {
    try {
      await attempt()
      return 'no error'
    } catch (error) {
      return error instanceof SessionError ? error.code : 'another error'
    }
  }
}

/**
 * Runs `body` as if it were `seconds` later. By hand and not with a runner's fake timers, which would also stop those of a
 * driver.
 */
export async function later<T>(seconds: number, body: () => Promise<T>): Promise<T> {
  const { now } = Date
  Date.now = () => now.call(Date) + seconds * 1000
  try {
    return await body()
  } finally {
    Date.now = now
  }
}

/** Runs `body` with random bytes that begin as they did the last time, as a broken generator's would. */
export async function withRepeatedRandomness<T>(
  first: () => Promise<unknown>,
  body: () => Promise<T>,
): Promise<T> {
  const real = crypto.getRandomValues.bind(crypto)
  const drawn: Uint8Array[] = []
  const replace = (value: unknown): void => {
    Object.defineProperty(crypto, 'getRandomValues', { value, configurable: true, writable: true })
  }
  try {
    replace((bytes: Uint8Array<ArrayBuffer>) => {
      drawn.push(real(bytes).slice())
      return bytes
    })
    await first()
    replace((bytes: Uint8Array<ArrayBuffer>) => {
      const again = drawn.findIndex(({ length }) => length === bytes.length && length === 32)
      const [repeated] = again === -1 ? [] : drawn.splice(again, 1)
      if (repeated) bytes.set(repeated)
      else real(bytes)
      return bytes
    })
    return await body()
  } finally {
    Reflect.deleteProperty(crypto, 'getRandomValues')
  }
}

/** Longer than the idle timeout that a check gives its session, shorter than any backend would wait. In seconds. */
export const IDLE = 600

export const HOUR = 3600

/** Adds one to `n`. */
export function count(session: Session): void {
  session.update('n', (n) => Number(n ?? 0) + 1)
}
