import { mountWith, throughFetch } from './support/mount.js'

// What the middleware's suite says is true of `isolate-session/fetch` as well.
mountWith(throughFetch)
await import('./middleware.test.js')
