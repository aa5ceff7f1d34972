import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { api } from './api.js'
import { Page } from './page.js'

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

export default app
