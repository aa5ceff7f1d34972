import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * Gives the playground on this machine a `SESSION_SECRET` in `.dev.vars`, which stays out of the repository, unless it has
 * one. `wrangler dev` looks for that file beside each configuration, so the other isolates get a copy.
 */
export function prepareDevVars(): void {
  const before = existsSync('.dev.vars') ? readFileSync('.dev.vars', 'utf8') : ''
  const secret = `SESSION_SECRET=${randomBytes(32).toString('base64')}\n`
  const variables = /^\s*SESSION_SECRET\s*=/m.test(before)
    ? before
    : before.replace(/.$/, '$&\n') + secret
  if (variables !== before) writeFileSync('.dev.vars', variables, { mode: 0o600 })
  writeFileSync('demo/isolates/.dev.vars', variables, { mode: 0o600 })
}
