import { Hono } from 'hono'
import { test } from 'vitest'
import {
  MemoryStore,
  type SessionEnv,
  SessionError,
  type SessionEvent,
  type SessionOptions,
  session,
} from '../../src/index.ts'
import { FaultyStore } from '../../src/testing.ts'
import { throughFetch } from './mount.ts'
import { sealResponses } from './sealed.ts'
import type { Mount } from './story-app.ts'
import { Visitor } from './visitor.ts'
import { witness, witnessSession } from './witness.ts'

export type Data = Record<string, unknown>
export type Env = SessionEnv<Data>

/** All files run in one isolate, so every store has a name of its own. */
export const newStore = (): MemoryStore => new MemoryStore({ name: crypto.randomUUID() })

export const DAY = 86_400
export const HOST = 'https://shop.example'
export const SHAPE =
  /^__Host-session=([\w-]{43}); Max-Age=(\d+); Path=\/; HttpOnly; SameSite=Lax; Secure$/

export interface World {
  app: Hono<Env>
  store: FaultyStore
  events: SessionEvent[]
  ada: Visitor
}

/** The two entry points to one core. Every rule that is not about Hono holds for both. */
export const MOUNTS: [door: string, mount: Mount][] = [
  ['session()', session as never],
  ['withSession()', throughFetch],
]

/** An app whose handlers a test adds, and whose responses nobody may change (M16), over a store that can be made to fail. */
export function worldOf(mount: Mount): {
  world: (options?: Partial<SessionOptions>) => World
  mounted: (options: object) => never
  /** For what Hono makes of an error that was thrown: through the other door it goes on, and no response goes out. */
  ofHono: typeof test
} {
  const mounted = (options: object): never => mount(options as never) as never
  function world(options: Partial<SessionOptions> = {}): World {
    const store = new FaultyStore(newStore())
    const events: SessionEvent[] = []
    const app = sealResponses(new Hono<Env>())
    const onEvent = (event: SessionEvent): void => {
      witness(event)
      events.push(event)
    }
    app.use(witnessSession())
    app.use(mounted({ store, onEvent, ...options }))
    app.get('/untouched', (c) => c.text('ok'))
    app.get('/read', (c) => c.json(c.var.session.get('n') ?? null))
    app.post('/write', (c) => {
      c.var.session.update('n', (n) => Number(n ?? 0) + 1)
      return c.text('ok')
    })
    app.post('/destroy', (c) => {
      c.var.session.destroy()
      return c.text('ok')
    })
    app.post('/regenerate', (c) => {
      c.var.session.regenerate()
      return c.text('ok')
    })
    app.onError((error, c) => {
      witness(error)
      return c.text(error instanceof SessionError ? error.code : error.name, 500)
    })
    return { app, store, events, ada: new Visitor(app as never) }
  }
  // Skipped without Hono: `withSession` has no `onError` and no `c.error`, so there is nothing to test.
  const ofHono = (mount === (session as never) ? test : test.skip) as typeof test
  return { world, mounted, ofHono }
}

export const post = { method: 'POST' }
export const write = (who: Visitor): Promise<Response> => who.visit('/write', post)
export const cookieOf = (response: Response): string | null => response.headers.get('Set-Cookie')
export const methods = (store: FaultyStore): string[] => store.calls.map(({ method }) => method)
