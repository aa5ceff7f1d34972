import { type MockInstance, onTestFinished, vi } from 'vitest'

/** What is logged as a warning until the test ends, in an isolate that has not warned of anything yet. */
export function watchWarnings(): MockInstance<typeof console.warn> {
  vi.stubGlobal(Symbol.for('isolate-session.warned') as never, undefined)
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  onTestFinished(() => {
    vi.unstubAllGlobals()
    warn.mockRestore()
  })
  return warn
}
