// `Data` comes from the schemas: no type parameter anywhere. Checked by `tsc`; never run.
import { type as arktype } from 'arktype'
import { Hono } from 'hono'
import * as v from 'valibot'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import { withSession } from '../src/fetch.ts'
import { MemoryStore, type SessionEnv, session } from '../src/index.ts'

const store = new MemoryStore()

new Hono()
  .use(session({ store, schema: { cart: z.array(z.string()), visits: z.number() } }))
  .get('/', (c) => {
    expectTypeOf(c.var.session.get('cart')).toEqualTypeOf<readonly string[] | undefined>()
    c.var.session.set('visits', 1)
    c.var.session.update('cart', (cart = []) => [...cart, 'tea'])
    // @ts-expect-error: another type
    c.var.session.set('visits', 'one')
    // @ts-expect-error: a key that no schema knows
    c.var.session.get('other')
    return c.text('ok')
  })

new Hono()
  .use(session({ store, schema: { theme: v.picklist(['light', 'dark']) } }))
  .get('/', (c) => {
    expectTypeOf(c.var.session.get('theme')).toEqualTypeOf<'light' | 'dark' | undefined>()
    return c.text('ok')
  })

new Hono().use(session({ store, schema: { user: arktype({ name: 'string' }) } })).get('/', (c) => {
  expectTypeOf(c.var.session.get('user')).toEqualTypeOf<{ readonly name: string } | undefined>()
  return c.text('ok')
})

// A default and a transformation: what comes out counts.
new Hono()
  .use(session({ store, schema: { n: z.string().transform((text) => text.length) } }))
  .get('/', (c) => {
    expectTypeOf(c.var.session.get('n')).toEqualTypeOf<number | undefined>()
    return c.text('ok')
  })

// Beside a type that was written down, and under another name.
const app = new Hono<SessionEnv<{ n: number }>>()
app.use(session({ store, schema: { n: z.number() } }))
new Hono().use(session({ store, name: 'admin', schema: { n: z.number() } })).get('/', (c) => {
  expectTypeOf(c.var.admin.get('n')).toEqualTypeOf<number | undefined>()
  return c.text('ok')
})

withSession({ store, schema: { n: z.number() } }, (_request, _env, _ctx, current) => {
  expectTypeOf(current.get('n')).toEqualTypeOf<number | undefined>()
  return new Response()
})

// A handler may name its context as the platform does.
withSession<{ n: number }, { KV: unknown }>(
  {
    store({ env, ctx }) {
      ctx.waitUntil(Promise.resolve(env.KV))
      return store
    },
  },
  (_request, env: { KV: unknown }, ctx: ExecutionContext) => {
    ctx.waitUntil(Promise.resolve(env.KV))
    return new Response()
  },
)

// @ts-expect-error: a schema for the whole session
session({ store, schema: z.object({ n: z.number() }) })
