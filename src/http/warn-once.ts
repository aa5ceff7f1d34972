/** Shared by all copies of this module in an isolate. */
const WARNED: unique symbol = Symbol.for('isolate-session.warned')

/** Logs a message once per isolate, also when a dev server evaluates the module again. */
export function warnOnce(message: string): void {
  const shared = globalThis as { [WARNED]?: Set<string> }
  shared[WARNED] ??= new Set()
  if (shared[WARNED].has(message)) return
  shared[WARNED].add(message)
  console.warn(message)
}
