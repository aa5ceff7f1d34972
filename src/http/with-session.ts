import type { Session } from '../session/session.ts'
import type { Exchange } from './exchange.ts'
import { type Outcome, RequestSession } from './request-session.ts'
import { type CookieLine, personalize } from './response.ts'
import { type CoreOptions, settingsOf } from './settings.ts'

/** The subset of Workers' `ExecutionContext` that is used: its types need not be installed. */
export interface FetchExecutionContext {
  /** Keeps the Worker alive until the promise settles. */
  waitUntil(promise: Promise<unknown>): void
  /** Sends the request on to the origin if the Worker throws. */
  passThroughOnException(): void
}

/**
 * Your handler. Its third parameter may be declared as `ExecutionContext`: written as a method, because TypeScript compares the
 * parameters of methods in both directions.
 */
export type FetchHandler<Data extends object = Record<string, unknown>, Env = unknown> = {
  /** Answers a request. What it does to the session is stored before its response goes out. */
  handle(
    request: Request,
    env: Env,
    ctx: FetchExecutionContext,
    session: Session<Data>,
  ): Response | Promise<Response>
}['handle']

/** The argument of the functions among the options: the three arguments of `fetch`. */
export interface FetchContext<Env = unknown> {
  /** The request, as it came in. */
  readonly request: Request
  /** The Worker's bindings. */
  readonly env: Env
  /** The Worker's execution context. */
  readonly ctx: FetchExecutionContext
}

/** Durations are seconds. The functions among them are called with `{ request, env, ctx }`. */
export interface FetchSessionOptions<Data extends object = Record<string, unknown>, Env = unknown>
  extends CoreOptions<FetchContext<Env>, FetchContext<Env>, Data> {}

const DONE: Outcome = { hasFailed: false, isRefused: false }
const FAILED: Outcome = { hasFailed: true, isRefused: false }

/**
 * Sessions for a Worker without a framework, or with one that is not Hono: wraps a `fetch` handler and gives it the visitor's
 * session as a fourth argument.
 *
 * Everything is as with the middleware: a request without a cookie that writes nothing costs nothing; otherwise the session is
 * loaded before the handler, and what the handler did is stored before the response goes out.
 *
 * A handler that throws has failed: nothing of the session is stored but a `destroy`, and the error goes on. So does the error
 * of a store that fails.
 *
 * @throws TypeError for options that do not exist, are of the wrong type or contradict each other: here, not at the first request.
 *
 * @example
 * export default {
 *   fetch: withSession<{ visits: number }, Env>({ store: new MemoryStore() }, (request, env, ctx, session) => {
 *     session.update('visits', (visits = 0) => visits + 1)
 *     return new Response(`Visit ${session.get('visits')}`)
 *   }),
 * }
 */
export function withSession<Data extends object = Record<string, unknown>, Env = unknown>(
  options: FetchSessionOptions<Data, Env>,
  handler: FetchHandler<Data, Env>,
): (request: Request, env: Env, ctx: FetchExecutionContext) => Promise<Response> {
  const settings = settingsOf(options)
  return async function fetch(request, env, ctx): Promise<Response> {
    const exchange = new FetchExchange({ request, env, ctx })
    const current = new RequestSession(exchange, settings)
    await current.load()
    try {
      exchange.response = await handler(request, env, ctx, current.session as Session<Data>)
      if (!exchange.response) throw noResponse()
    } catch (thrown) {
      exchange.response = undefined
      await current.commit(FAILED)
      throw thrown
    }
    await current.commit(DONE)
    return exchange.response
  }
}

/** Nothing comes between the handler and the session, so its response is marked once, at the end. */
class FetchExchange<Env> implements Exchange<FetchContext<Env>> {
  readonly context: FetchContext<Env>
  readonly isComing = false
  response: Response | undefined

  constructor(context: FetchContext<Env>) {
    this.context = context
  }

  get request(): Request {
    return this.context.request
  }

  watch(): void {}
  noteOuter(): void {}
  mark(): void {}
  markComing(): void {}
  discard(): void {}

  finish(response: Response, cookie: CookieLine | undefined): void {
    this.response = personalize(response, cookie)
  }

  waitUntil(work: Promise<unknown>): void {
    // There is none in a test that calls the handler with two arguments.
    this.context.ctx?.waitUntil(work)
  }
}

function noResponse(): TypeError {
  return new TypeError(
    'withSession(): the handler returned no Response. Return one from every branch.',
  )
}
