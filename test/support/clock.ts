import { afterEach, beforeEach, vi } from 'vitest'

/** Time stands still in the tests of this file, and moves when it is told to. Only `Date` is faked. */
export function useClock(start = '2026-06-01T12:00:00Z'): {
  now: () => number
  advance: (seconds: number) => void
} {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(start) })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  return {
    now: () => Date.now(),
    advance: (seconds) => {
      vi.setSystemTime(Date.now() + seconds * 1000)
    },
  }
}
