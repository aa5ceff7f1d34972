import { inspect } from 'node:util'
import type { MiddlewareHandler } from 'hono'
import type { SessionEnv } from '../../src/index.ts'

/** Every secret that the tests have issued, and everything that was logged, thrown or emitted. Shared by all test files of a runtime. */
interface Memory {
  readonly values: Set<string>
  readonly said: string[]
}

const shared = globalThis as { witnessed?: Memory }
shared.witnessed ??= { values: new Set(), said: [] }
const memory: Memory = shared.witnessed

export function issued(value: string): void {
  memory.values.add(value)
}

/** Keeps something that was logged, thrown, emitted or shown, as a log would hold it. */
export function witness(...things: unknown[]): void {
  for (const thing of things) {
    memory.said.push(
      typeof thing === 'string' ? thing : inspect(thing, { depth: 8, showHidden: true }),
    )
    if (typeof thing === 'object' && thing !== null) memory.said.push(asJson(thing), String(thing))
  }
}

function asJson(thing: object): string {
  try {
    return JSON.stringify(thing) ?? ''
  } catch {
    return ''
  }
}

/** Looks at the session after every request, the way a curious logger would. */
export function witnessSession(): MiddlewareHandler<SessionEnv> {
  return async (c, next) => {
    await next()
    // Without marking it as looked at: that would change what the response says about caches.
    witness(inspect(c.var.session, { depth: 8, showHidden: true, getters: false }))
    if (c.res.headers.has('Vary')) witness(JSON.stringify(c.var.session), String(c.var.session))
  }
}

/** Which of the issued values were said, and where. Forgets what was searched. */
export function leaks(): string[] {
  // One search for each text: a value is 43 characters of this alphabet.
  const found = memory.said.splice(0).filter((text) => {
    const candidates = text.match(/[\w-]{43,}/g) ?? []
    return candidates.some((candidate) => {
      for (let at = 0; at + 43 <= candidate.length; at++) {
        if (memory.values.has(candidate.slice(at, at + 43))) return true
      }
      return false
    })
  })
  return found.map((text) => text.slice(0, 500))
}

export function witnessedValues(): number {
  return memory.values.size
}
