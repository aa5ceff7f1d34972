// All arithmetic on time. Every function is pure and takes the time as a parameter, so no test needs a clock. Options are
// seconds, as in cookies; instants are milliseconds, as in `Date`.

/** How long sessions live, in seconds. `false`: no such limit. */
export interface Lifetime {
  readonly idleTimeout: number | false
  readonly absoluteTimeout: number | false
  /** Least time between two extensions; `undefined`: a tenth of the idle timeout that applies. */
  readonly touchAfter: number | undefined
}

/** What a session itself knows about its end. Instants in epoch milliseconds, `idle` in seconds. */
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

const instant = (at: number): number | null => (at === NEVER ? null : at)

/** `seconds` after `start`, which is never for `false`. */
function after(start: number, seconds: number | false): number {
  return seconds === false ? NEVER : Math.min(start + Math.ceil(seconds * 1000), LAST_INSTANT)
}

/** The end that no activity moves. */
function absoluteEnd({ createdAt }: Timing, { absoluteTimeout }: Lifetime): number {
  return after(createdAt, absoluteTimeout)
}

/** The end if nobody uses the session after `now`. */
function idleEnd({ idle }: Timing, { idleTimeout }: Lifetime, now: number): number {
  return after(now, idle ?? idleTimeout)
}

/** `expiry`, but not past the absolute timeout: a shorter one holds for sessions that are already there. */
export function cappedExpiry(
  expiry: number | null,
  timing: Timing,
  lifetime: Lifetime,
): number | null {
  return instant(Math.min(expiry ?? NEVER, absoluteEnd(timing, lifetime)))
}

/** When a session that is stored or used at `now` ends, if nobody uses it again. */
export function freshExpiry(timing: Timing, lifetime: Lifetime, now: number): number | null {
  return cappedExpiry(timing.fixed ?? instant(idleEnd(timing, lifetime, now)), timing, lifetime)
}

/** Is it time to move `expiry`? At most once per `touchAfter`, and only if it moves. */
export function isExtensionDue(
  expiry: number | null,
  timing: Timing,
  lifetime: Lifetime,
  now: number,
): boolean {
  const rolled = idleEnd(timing, lifetime, now)
  if (timing.fixed !== null || rolled === NEVER) return false
  if (expiry === null) return true
  // The last extension was one idle timeout before `expiry`, so this is the time since then.
  if (rolled - expiry < Math.ceil(touchAfter(timing, lifetime) * 1000)) return false
  return rolled === expiry || (freshExpiry(timing, lifetime, now) ?? rolled) > expiry
}

/** The least time between two extensions, in seconds. */
function touchAfter({ idle }: Timing, lifetime: Lifetime): number {
  const tenth = (idle ?? (lifetime.idleTimeout || 0)) / 10
  if (lifetime.touchAfter === undefined) return tenth
  // An app-wide pause as long as this session's own idle timeout would let it die in use.
  return idle !== null && lifetime.touchAfter >= idle ? tenth : lifetime.touchAfter
}
