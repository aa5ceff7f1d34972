// All arithmetic on time. Every function is pure and takes the time as a parameter, so no test needs a clock. Options are
// seconds, as in cookies; instants are milliseconds, as in `Date`.

/** How long sessions live, in seconds. `false`: no such limit. */
export interface Lifetime {
  readonly idleTimeout: number | false
  readonly absoluteTimeout: number | false
  /** Least time between two extensions; `undefined`: a tenth of the idle timeout that applies. */
  readonly touchAfter: number | undefined
}

/** A session's own settings for its end. Instants in epoch milliseconds, `idle` in seconds. */
export interface Timing {
  readonly createdAt: number
  /** The session's own idle timeout (`expireIn`); `null`: the app's. */
  readonly idle: number | null
  /** The one instant that no activity moves (`setExpiry`). */
  readonly fixed: number | null
}

/** A session outside of any middleware ends only by its own `expireIn` or `setExpiry`. */
export const UNLIMITED: Lifetime = {
  idleTimeout: false,
  absoluteTimeout: false,
  touchAfter: undefined,
}

/** The last instant a `Date` can hold (ECMAScript, "Time Values and Time Range"). */
export const LAST_INSTANT = 8.64e15

/** Compares as later than every instant, which `null` does not. */
const NEVER = Number.POSITIVE_INFINITY

/** `seconds` after `start`, which is never for `false`. */
function after(start: number, seconds: number | false): number {
  return seconds === false ? NEVER : Math.min(start + Math.ceil(seconds * 1000), LAST_INSTANT)
}

/** `expiry`, but not past the absolute timeout: a shorter one holds for sessions that are already there. */
export function cappedExpiry(
  expiry: number | null,
  { createdAt }: Timing,
  { absoluteTimeout }: Lifetime,
): number | null {
  const end = Math.min(expiry ?? NEVER, after(createdAt, absoluteTimeout))
  return end === NEVER ? null : end
}

/** When a session that is stored or used at `now` ends, if nobody uses it again. */
export function freshExpiry(timing: Timing, lifetime: Lifetime, now: number): number | null {
  const end = timing.fixed ?? after(now, timing.idle ?? lifetime.idleTimeout)
  return cappedExpiry(end, timing, lifetime)
}

/**
 * From when on a request moves `expiry`: `touchAfter` after it was moved last, which was one idle timeout before it. Infinite if
 * nothing moves it, or if the absolute timeout leaves nothing to gain.
 */
export function extensionDueAt(expiry: number | null, timing: Timing, lifetime: Lifetime): number {
  const idle = timing.idle ?? lifetime.idleTimeout
  if (timing.fixed !== null || idle === false) return NEVER
  if (expiry === null) return 0
  const end = Math.min(after(timing.createdAt, lifetime.absoluteTimeout), LAST_INSTANT)
  if (expiry >= end) return NEVER
  // An app-wide pause as long as this session's own idle timeout would let it die in use.
  const { touchAfter = idle } = lifetime
  const pause = touchAfter < idle ? touchAfter : idle / 10
  return expiry - Math.ceil(idle * 1000) + Math.ceil(pause * 1000)
}
