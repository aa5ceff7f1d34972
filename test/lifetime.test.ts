import { describe, expect, test } from 'vitest'
import {
  cappedExpiry,
  extensionDueAt,
  freshExpiry,
  LAST_INSTANT,
  type Lifetime,
  type Timing,
  UNLIMITED,
} from '../src/session/lifetime.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** A day idle, thirty days in all, and an extension at most every 2.4 hours. */
const DEFAULT: Lifetime = { idleTimeout: 86_400, absoluteTimeout: 2_592_000, touchAfter: undefined }

/** A session that began at 0, with nothing of its own. */
const PLAIN: Timing = { createdAt: 0, idle: null, fixed: null }

describe('M14 when a session ends that is used now', () => {
  const cases: [
    what: string,
    timing: Timing,
    lifetime: Lifetime,
    now: number,
    end: number | null,
  ][] = [
    ['one idle timeout from now', PLAIN, DEFAULT, HOUR, HOUR + DAY],
    ['not past the absolute timeout', PLAIN, DEFAULT, 29.5 * DAY, 30 * DAY],
    ['never, without timeouts', PLAIN, UNLIMITED, HOUR, null],
    [
      'at the absolute timeout, without an idle one',
      PLAIN,
      { ...DEFAULT, idleTimeout: false },
      HOUR,
      30 * DAY,
    ],
    ['by its own idle timeout', { ...PLAIN, idle: 60 }, DEFAULT, HOUR, HOUR + 60_000],
    ['by its own, without one of the app', { ...PLAIN, idle: 60 }, UNLIMITED, 0, 60_000],
    ['at a fixed instant', { ...PLAIN, fixed: 5 * HOUR }, DEFAULT, HOUR, 5 * HOUR],
    [
      'not past the absolute timeout, if fixed',
      { ...PLAIN, fixed: 99 * DAY },
      DEFAULT,
      0,
      30 * DAY,
    ],
    ['at a full millisecond', { ...PLAIN, idle: 0.0001 }, DEFAULT, 0, 1],
    ['at an instant that a Date can hold', { ...PLAIN, idle: 1e300 }, UNLIMITED, 0, LAST_INSTANT],
  ]

  test.each(cases)('%s', (_what, timing, lifetime, now, end) => {
    expect(freshExpiry(timing, lifetime, now)).toBe(end)
  })

  test('a shorter absolute timeout holds for what is stored already', () => {
    const shorter = { ...DEFAULT, absoluteTimeout: 3600 }
    expect(cappedExpiry(5 * HOUR, PLAIN, shorter)).toBe(HOUR)
    expect(cappedExpiry(null, PLAIN, shorter)).toBe(HOUR)
    expect(cappedExpiry(null, PLAIN, UNLIMITED)).toBe(null)
  })
})

describe('M14 when an extension is due', () => {
  const TENTH = DAY / 10

  const isDue = (expiry: number | null, timing: Timing, lifetime: Lifetime, now: number): boolean =>
    now >= extensionDueAt(expiry, timing, lifetime)

  /** `sinceLast`: milliseconds since the expiry was last moved. */
  const due = (
    sinceLast: number,
    lifetime: Lifetime = DEFAULT,
    timing: Timing = PLAIN,
  ): boolean => {
    const idle = (timing.idle ?? (lifetime.idleTimeout || 0)) * 1000
    return isDue(DAY + idle - sinceLast, timing, lifetime, DAY)
  }

  test('after a tenth of the idle timeout, and not a millisecond before', () => {
    expect(due(TENTH - 1)).toBe(false)
    expect(due(TENTH)).toBe(true)
  })

  test('after touchAfter, where it is set', () => {
    expect(due(59_999, { ...DEFAULT, touchAfter: 60 })).toBe(false)
    expect(due(60_000, { ...DEFAULT, touchAfter: 60 })).toBe(true)
  })

  test('at every request with touchAfter 0, also twice in one millisecond', () => {
    expect(due(0, { ...DEFAULT, touchAfter: 0 })).toBe(true)
  })

  test('after a tenth of the session’s own idle timeout', () => {
    expect(due(5_999, DEFAULT, { ...PLAIN, idle: 60 })).toBe(false)
    expect(due(6_000, DEFAULT, { ...PLAIN, idle: 60 })).toBe(true)
  })

  test('a touchAfter as long as the session’s own idle timeout is not for that session', () => {
    expect(due(6_000, { ...DEFAULT, touchAfter: 60 }, { ...PLAIN, idle: 60 })).toBe(true)
  })

  test('never for a fixed expiry, and never without an idle timeout', () => {
    expect(due(DAY, DEFAULT, { ...PLAIN, fixed: 99 * DAY })).toBe(false)
    expect(isDue(2 * DAY, PLAIN, { ...DEFAULT, idleTimeout: false }, DAY)).toBe(false)
  })

  test('never where the absolute timeout leaves nothing to gain', () => {
    expect(isDue(30 * DAY, PLAIN, DEFAULT, 29.9 * DAY)).toBe(false)
  })

  test('never for what has the last end that there is', () => {
    const forEver = { ...PLAIN, idle: 1e300 }
    expect(isDue(LAST_INSTANT, forEver, UNLIMITED, LAST_INSTANT - 1)).toBe(false)
  })

  test('at once for a session that was stored without an end', () => {
    expect(isDue(null, PLAIN, DEFAULT, HOUR)).toBe(true)
  })
})
