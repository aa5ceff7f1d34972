import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { D1Store } from '../src/stores/d1.ts'
import { api } from './api.ts'
import { Page } from './page.tsx'
import { privatePages } from './private.tsx'
import type { Bindings } from './stores.ts'

const app: Hono = new Hono()

app.use(
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
    },
    // A browser would keep it for all of localhost, whatever runs there next.
    strictTransportSecurity: false,
  }),
)
app.get('/', (c) => c.html(`<!doctype html>${<Page />}`))
app.route('/private', privatePages)
app.route('/api', api)

export { SessionObject } from '../src/stores/durable-object.ts'

export default {
  fetch: app.fetch,
  request: app.request,
  scheduled: D1Store.scheduled((env: Bindings) => env.DB),
}
