import type { Mutation } from '../mutations.ts'

export const mutations: Mutation[] = [
  {
    what: 'M12 what cors has put on c.res is lost',
    file: 'hono/hono-exchange',
    from: 'if (isFirst && mergesResponses) watcher.noteOuter()',
    to: '',
    caughtBy: [
      'neighbours',
      'M12 the headers of cors stay when a middleware inside changes the session last',
    ],
  },
  {
    what: 'M16 a copy that was handed out is changed',
    file: 'http/response',
    from: 'const result = new Response(response.body, response)',
    to: "const result = response.headers.get('Vary') === 'Cookie' ? response : new Response(response.body, response)",
    caughtBy: ['neighbours', 'M16 a copy of ours that somebody has kept carries nobody’s cookie'],
  },
  {
    what: 'M18 the inner of two loads again',
    file: 'hono/middleware',
    from: 'if (found !== undefined && isMounted(found, settings)) return next()',
    to: 'if (found !== undefined) isMounted(found, settings)',
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
    from: 'if (found !== undefined && isMounted(found, settings)) return next()',
    to: 'if (found && isMounted(found, settings)) return next()',
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
    from: '    else if (this.isUnmarked && this.#marks) this.#put(response, this.#marks.cookie)\n',
    to: '',
    caughtBy: ['neighbours', 'M17'],
  },
]
