import type { Hono } from 'hono'

/** The app may keep it and hand it to the next visitor: whoever changes its headers from now on is told. */
export function sealed(response: Response): Response {
  for (const method of ['set', 'append', 'delete'] as const) {
    Object.defineProperty(response.headers, method, {
      configurable: true,
      value: () => {
        throw new Error(`M16: ${method}() was called on the headers of a response of the app`)
      },
    })
  }
  return response
}

function sealedResult(result: unknown): unknown {
  if (result instanceof Promise) return result.then(sealedResult)
  return result instanceof Response ? sealed(result) : result
}

type Handler = (...args: unknown[]) => unknown

function sealing(argument: unknown): unknown {
  if (typeof argument !== 'function') return argument
  return (...args: unknown[]) => sealedResult((argument as Handler)(...args))
}

/** From now on every response that a handler of this app returns is sealed. */
// biome-ignore lint/suspicious/noExplicitAny: an app of any environment
export function sealResponses<App extends Hono<any>>(app: App): App {
  for (const method of ['get', 'post', 'put', 'delete', 'all', 'on', 'onError', 'notFound']) {
    const register: unknown = Reflect.get(app, method)
    const value = (...args: unknown[]): unknown =>
      Reflect.apply(register as Handler, app, args.map(sealing))
    Object.defineProperty(app, method, { value, configurable: true })
  }
  return app
}
