import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { D1Store } from '../src/stores/d1.js'
import { api } from './api.js'
import { Page } from './page.js'
import { privatePages } from './private.js'
import type { Bindings } from './stores.js'

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

export { SessionObject } from '../src/stores/durable-object.js'

export default {
  fetch: app.fetch,
  request: app.request,
  scheduled: D1Store.scheduled((env: Bindings) => env.DB),
}
