import type { SessionStore } from '../session-store.js'

type Step = (...args: unknown[]) => Promise<unknown>

/** Does every call twice, as a driver does whose first answer got lost. */
export async function twice(call: () => Promise<unknown>): Promise<unknown> {
  await call()
  return call()
}

/** Does every call, and fails to say so. */
export async function unanswered(call: () => Promise<unknown>): Promise<never> {
  await call()
  throw new Error('The step was done, and its answer is lost.')
}

/** A step to the backend of a store that extends `KeyedStore`, of whichever copy of this package. Another has none. */
export function stepOf(store: SessionStore, name: string): Step | undefined {
  const step: unknown = Reflect.get(store, name)
  return typeof step === 'function' ? (...args) => Reflect.apply(step, store, args) : undefined
}

/** From now on the store takes these steps in that way. A store without steps of its own stays as it is. */
export function disturb(
  store: SessionStore,
  steps: readonly string[],
  how: (call: () => Promise<unknown>) => Promise<unknown>,
): void {
  for (const name of steps) {
    const step = stepOf(store, name)
    if (!step) continue
    const value: Step = (...args) => how(() => step(...args))
    Object.defineProperty(store, name, { value, configurable: true, writable: true })
  }
}
