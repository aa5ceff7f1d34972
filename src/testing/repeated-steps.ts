// Networks lose answers. A driver, or a retry of the platform, then makes a call again that was done already, or reports it as
// failed. Both are staged here with any store, by replacing its steps.

import type { SessionStore } from '../storage/session-store.ts'

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

/** Does no call, and fails. */
export async function notDone(): Promise<never> {
  throw new Error('The step was not done.')
}

/** A step to the backend of a store that extends `KeyedStore`, of whichever copy of this package. Another has none. */
export function stepOf(store: SessionStore, name: string): Step | undefined {
  const step: unknown = Reflect.get(store, name)
  return typeof step === 'function' ? (...args) => Reflect.apply(step, store, args) : undefined
}

/** Until `undo()` the store takes these steps in that way. A store without steps of its own stays as it is. */
export function disturb(
  store: SessionStore,
  steps: readonly string[],
  how: (call: () => Promise<unknown>) => Promise<unknown>,
): { undo(): void } {
  const undos = steps.map((name) => {
    const step = stepOf(store, name)
    if (!step) return () => {}
    const before = Object.getOwnPropertyDescriptor(store, name)
    const value: Step = (...args) => how(() => step(...args))
    Object.defineProperty(store, name, { value, configurable: true, writable: true })
    return () => {
      if (before) Object.defineProperty(store, name, before)
      else Reflect.deleteProperty(store, name)
    }
  })
  return { undo: () => undos.forEach((undo) => void undo()) }
}
