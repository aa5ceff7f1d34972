import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { D1Store } from '../src/stores/d1.js'
import { api } from './api.js'
import { Page } from './page.js'
import type { Bindings } from './stores.js'

const app: Hono = new Hono()

app.use(
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'self'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
  }),
)
app.get('/', (c) => c.html(`<!doctype html>${<Page />}`))
app.route('/api', api)

export { SessionObject } from '../src/stores/durable-object.js'

export default {
  fetch: app.fetch,
  request: app.request,
  scheduled: D1Store.scheduled((env: Bindings) => env.DB),
}
