import type { Context } from 'hono'
import type { SessionStore } from '../src/index.ts'
import type { StoreFor } from './stores.ts'
import type { Env } from './visitor.ts'

/** One call of a store, and what came of it. No cookie value, no data. */
export interface StoreCall {
  readonly method: string
  readonly result: string
}

/** The result of each call, in words. The others, `isWellFormed` among them, are no calls to a backend. */
const RESULTS: Readonly<Record<string, (value: unknown) => string>> = {
  loadSession: (session) => (session ? 'found' : 'not found'),
  storeSession: (value) => (value ? 'stored, with a new cookie value' : 'stored'),
  destroySession: () => 'removed',
  reloadSession: (lives) => (lives ? 'still there' : 'gone'),
  sessionsOf: (sessions) => `${(sessions as unknown[]).length} found`,
  destroySessionsOf: (count) => `${count} removed`,
  destroySessionById: (ended) => (ended ? 'removed' : 'not found'),
}

/** The same stores, whose calls are written down with the request that made them. */
export function recorded(storeFor: StoreFor): StoreFor {
  return async (c) => {
    const store = await storeFor(c)
    return recording(store, (c as Context<Env>).var.calls)
  }
}

function recording(store: SessionStore, calls: StoreCall[]): SessionStore {
  return new Proxy(store, {
    get(target, method) {
      const member: unknown = Reflect.get(target, method, target)
      if (typeof member !== 'function') return member
      const said = RESULTS[String(method)]
      return (...args: unknown[]) => {
        const result: unknown = member.apply(target, args)
        if (said && result instanceof Promise) {
          const note = (text: string): unknown =>
            calls.push({ method: String(method), result: text })
          result.then(
            (value) => note(said(value)),
            (error) => note(error?.code ?? 'failed'),
          )
        }
        return result
      }
    },
  })
}
