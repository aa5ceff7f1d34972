import type { Context } from 'hono'
import { isLoopback } from './cookie.js'
import { storeFailed } from './errors.js'
import { isStore } from './options.js'
import type { SessionStore } from './session-store.js'
import { warnOnce } from './warn-once.js'

/** The middleware's `store` option: a store, or what makes one for a request. */
export type StoreOption = SessionStore | ((c: Context) => SessionStore | Promise<SessionStore>)

/** The store of one request. Without a promise where there is nothing to wait for. */
export function storeOfRequest(
  store: StoreOption,
  c: Context,
): SessionStore | Promise<SessionStore> {
  return typeof store === 'function' ? made(store, c) : warned(store, c)
}

async function made(
  make: (c: Context) => SessionStore | Promise<SessionStore>,
  c: Context,
): Promise<SessionStore> {
  try {
    const store: unknown = await make(c)
    if (!isStore(store)) throw noStore()
    return warned(store, c)
  } catch (error) {
    // A mistake in the code that makes it is that mistake.
    if (error instanceof TypeError || error instanceof RangeError) throw error
    throw storeFailed('open', error)
  }
}

function noStore(): TypeError {
  return new TypeError(
    'session(): the store function gave no session store. Return one, made with `new`: store: (c) => new D1Store(c.env.DB).',
  )
}

/** A store that is not made for production says so there. */
function warned(store: SessionStore, { req: { url } }: Context): SessionStore {
  const { productionWarning } = store
  if (productionWarning && url.startsWith('https:') && !isLoopback(url)) warnOnce(productionWarning)
  return store
}
