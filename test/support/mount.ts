import type { Context, MiddlewareHandler } from 'hono'
import { withSession } from '../../src/fetch.ts'
import type { SessionOptions } from '../../src/index.ts'

/** The same, through the door for Workers without Hono: the rest of the app is its handler. */
export function throughFetch(options: SessionOptions<never, never>): MiddlewareHandler {
  const name = options.name ?? 'session'
  return async (c: Context, next) => {
    const ofContext = (option: unknown): unknown =>
      typeof option === 'function' ? () => option(c) : option
    const { onEvent } = options as { onEvent?: (event: unknown, c: Context) => void }
    const serve = withSession(
      {
        ...options,
        ...('store' in options && { store: ofContext(options.store) }),
        ...('secrets' in options && { secrets: ofContext(options.secrets) }),
        ...(onEvent && { onEvent: (event: unknown) => onEvent(event, c) }),
      } as never,
      async (_request, _env, _ctx, current) => {
        c.set(name as never, current as never)
        await next()
        if (c.error) throw c.error
        return c.res
      },
    )
    try {
      const response = await serve(c.req.raw, c.env as never, executionContextOf(c))
      c.res = undefined
      c.res = response
    } catch (error) {
      c.res = undefined
      c.res = new Response()
      throw error
    }
  }
}

function executionContextOf(c: Context): ExecutionContext {
  try {
    return c.executionCtx as ExecutionContext
  } catch {
    return undefined as never
  }
}
