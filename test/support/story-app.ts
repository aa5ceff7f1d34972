import { type Context, Hono, type MiddlewareHandler } from 'hono'
import {
  type SessionEnv,
  type SessionEvent,
  type SessionOptions,
  session,
} from '../../src/index.ts'
import { sealResponses } from './sealed.ts'
import { witness, witnessSession } from './witness.ts'

export interface Story {
  visits: number
  notice: string
  [key: string]: unknown
}

/** How an app gets its session. */
export type Mount = (options: SessionOptions<never, never>) => MiddlewareHandler

type StoryEnv = SessionEnv<Story>

/** The app that the HTTP story is told with: every thing one can do with a session, one route each. */
export function storyApp(
  options: SessionOptions<Story>,
  mount: Mount = session as never,
): Hono<StoryEnv> {
  const app = sealResponses(new Hono<StoryEnv>())
  app.use(witnessSession() as never)
  const onEvent = (event: SessionEvent): void => witness(event)
  app.use(mount({ onEvent, ...options } as never) as never)
  app.get('/untouched', (c) => c.text('nothing personal'))
  app.get('/look', (c) => c.json(described(c)))
  app.post('/count', (c) => {
    c.var.session.update('visits', (visits = 0) => visits + 1)
    return c.text(String(c.var.session.get('visits')))
  })
  app.get('/get/:key', (c) => c.json(c.var.session.get(c.req.param('key')) ?? null))
  app.post('/set/:key/:value', (c) => {
    c.var.session.set(c.req.param('key'), c.req.param('value'))
    return c.text('set')
  })
  app.post('/flash/:text', (c) => {
    c.var.session.flash('notice', c.req.param('text'))
    return c.redirect('/notice', 303)
  })
  app.get('/notice', (c) => c.text(c.var.session.get('notice') ?? ''))
  app.post('/sign-in/:user', (c) => {
    c.var.session.signIn(c.req.param('user'), { keep: ['visits'] })
    return c.redirect('/look', 303)
  })
  app.post('/regenerate', (c) => {
    c.var.session.regenerate()
    return c.text('rotated')
  })
  app.post('/sign-out', (c) => {
    c.var.session.destroy()
    return c.redirect('/look', 303)
  })
  app.post('/sign-out-with-notice', (c) => {
    c.var.session.destroy()
    c.var.session.flash('notice', 'Signed out')
    return c.redirect('/notice', 303)
  })
  app.post('/set-and-throw', (c) => {
    c.var.session.set('thrown', true)
    throw new Error('the handler failed')
  })
  app.onError((error, c) => {
    witness(error)
    return c.text('failed', 500)
  })
  return app
}

function described(c: Context<StoryEnv>): object {
  const { id = null, isNew, owner = null, size } = c.var.session
  return { id, isNew, owner, size, visits: c.var.session.get('visits') ?? 0 }
}
