// A store may be made for each request, because a connection belongs to the request that opened it. It is made only when the
// session is needed.

import { storeFailed } from '../errors.ts'
import { isStore } from '../options/options.ts'
import type { SessionStore } from '../storage/session-store.ts'
import { isLoopback } from './cookie.ts'
import type { Exchange } from './exchange.ts'
import { warnOnce } from './warn-once.ts'

/** The `store` option: a store, or what makes one for a request. */
export type StoreOption<Context> =
  | SessionStore
  | ((context: Context) => SessionStore | Promise<SessionStore>)

/**
 * The store of one request. Without a promise where there is nothing to wait for.
 *
 * @throws SessionError `STORE_FAILED` for what the app's function throws when it cannot connect.
 */
export function storeOfRequest<Context>(
  store: StoreOption<Context>,
  { context, request }: Exchange<Context>,
): SessionStore | Promise<SessionStore> {
  if (typeof store === 'function') return made(() => store(context), request.url)
  if (store.productionWarning) warnInProduction(store.productionWarning, request.url)
  return store
}

/** Calls the app’s function. What it throws about its own arguments is a bug in it; anything else is the backend’s. */
async function made(
  make: () => SessionStore | Promise<SessionStore>,
  url: string,
): Promise<SessionStore> {
  try {
    const store: unknown = await make()
    if (!isStore(store)) throw noStore()
    const { productionWarning } = store as unknown as SessionStore
    if (productionWarning) warnInProduction(productionWarning, url)
    return store as unknown as SessionStore
  } catch (error) {
    // A bug in the function itself: rethrown unchanged.
    if (error instanceof TypeError || error instanceof RangeError) throw error
    throw storeFailed('open', error)
  }
}

function noStore(): TypeError {
  return new TypeError(
    'session(): the store function gave no session store. Return one, made with `new`: store: (c) => new D1Store(c.env.DB).',
  )
}

/**
 * A store that is not made for production says so there, once for each isolate. Over https to a real host: everything else is
 * development.
 */
function warnInProduction(warning: string, url: string): void {
  if (url.startsWith('https:') && !isLoopback(url)) warnOnce(warning)
}
