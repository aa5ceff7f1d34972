import type { Mutation } from '../mutations.ts'

export const mutations: Mutation[] = [
  {
    what: 'M18 the inner of two loads again',
    file: 'hono/middleware',
    from: 'if (isMounted(c.get(name), settings)) return next()',
    to: 'isMounted(c.get(name), settings)',
    caughtBy: ['middleware/mounting', 'the inner one does nothing'],
  },
  {
    what: 'M15 what is thrown past us stores nothing',
    file: 'hono/middleware',
    from: 'await current.commit(outcomeOf(thrown, statusOf(thrown)))',
    to: '',
    caughtBy: ['guards', 'counts its tries'],
  },
  {
    what: 'M15 a handler without a response has succeeded',
    file: 'hono/middleware',
    from: 'const NO_RESPONSE: Outcome = { hasFailed: true,',
    to: 'const NO_RESPONSE: Outcome = { hasFailed: false,',
    caughtBy: ['guards', 'gives no response has failed'],
  },
  {
    what: 'M22 the URL of another request is asked',
    file: 'hono/hono-exchange',
    from: 'this.request = c.req.raw\n',
    to: "Object.defineProperty(this, 'request', { get: () => c.req.raw })\n",
    caughtBy: ['guards', 'M22'],
  },
  {
    what: 'M18 somebody’s null is replaced',
    file: 'hono/middleware',
    from: 'if (found === undefined) return false',
    to: 'if (!found) return false',
    caughtBy: ['guards', 'M18'],
  },
  {
    what: 'M17 a cache between us and the handler sees no marks',
    file: 'hono/hono-exchange',
    from: "    Object.defineProperty(c, 'res', WATCHED_RESPONSE)\n",
    to: '',
    caughtBy: ['neighbours', 'M17'],
  },
  {
    what: 'M17 a response that nobody has looked at yet is shown without marks',
    file: 'hono/hono-exchange',
    from: '    this.#isUnmarked = true\n',
    to: '',
    caughtBy: ['neighbours', 'M17'],
  },
  {
    what: 'M17 the marks take the place of what was asked for',
    file: 'hono/hono-exchange',
    from: "if (this.#outer?.has('Cache-Control') || this.#outer?.has('Vary')) return",
    to: '',
    caughtBy: ['neighbours', 'M17 what middleware outside has asked of caches stays'],
  },
]
