// Set-up of every test file in workerd: whatever is logged or thrown in the whole suite holds no cookie value that was issued.
import { afterAll, expect } from 'vitest'
import { base64url } from '../../src/crypto/values.ts'
import { issued, leaks, witness } from './witness.ts'

const patched = globalThis as { isWatched?: boolean }

if (!patched.isWatched) {
  patched.isWatched = true
  watchRandomness()
  watchCookies()
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    const real = console[method].bind(console)
    console[method] = (...args) => {
      witness(...args)
      real(...args)
    }
  }
  for (const kind of ['Error', 'TypeError', 'RangeError'] as const) watchErrors(kind)
}

/** The sources' error classes extend this one when they are loaded, which is after this file. */
function watchErrors(kind: 'Error' | 'TypeError' | 'RangeError'): void {
  globalThis[kind] = new Proxy(globalThis[kind] as ErrorConstructor, {
    construct(target, args, newTarget) {
      const error = Reflect.construct(target, args, newTarget) as Error
      witness(`${newTarget.name}: ${error.message}`)
      return error
    },
  })
}

/** Sealed and signed values are known when they are sent. Their first 43 characters tell them from all others. */
function watchCookies(): void {
  const real = Headers.prototype.append
  Headers.prototype.append = function (name, value) {
    const [, sent = ''] = /session=([^;]{43})/.exec(value) ?? []
    if (name === 'Set-Cookie' && sent !== '') issued(sent)
    real.call(this, name, value)
  }
}

/** Every draw of 32 bytes is a cookie value, but in CookieStore, which draws an id. */
function watchRandomness(): void {
  const real = crypto.getRandomValues.bind(crypto)
  const watched: typeof crypto.getRandomValues = (array) => {
    const filled = real(array)
    if (filled instanceof Uint8Array && filled.length === 32) {
      const isId = new Error('who draws?').stack?.includes('cookie-store.ts')
      if (!isId) issued(base64url(filled))
    }
    return filled
  }
  Object.defineProperty(Object.getPrototypeOf(crypto), 'getRandomValues', {
    value: watched,
    configurable: true,
    writable: true,
  })
}

afterAll(() => {
  expect(leaks()).toEqual([])
})
