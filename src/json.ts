/** Deeper than any sensible session, and far from where recursion would overflow the stack. */
const MAX_DEPTH = 200

/** Keys that reach an object's prototype instead of its data when somebody merges it carelessly. */
const RESERVED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** Throws a `TypeError` unless `key` is a string that can name session data. */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string') throw new TypeError('A session key must be a string.')
  if (RESERVED_KEYS.has(key)) {
    throw new TypeError(`"${key}" cannot be a session key: it would reach an object's prototype.`)
  }
}

/**
 * A copy of `value`, or a `TypeError` that names the session key and nothing of the value.
 *
 * What passes comes back from any store exactly as it is here, so the check happens once, where the mistake is.
 */
export function jsonCopy<T>(value: T, key: string): T {
  try {
    return copy(value, key, []) as T
  } catch (error) {
    // A getter or a proxy threw: its message may quote the value.
    throw error instanceof Refusal
      ? new TypeError(error.message)
      : refuse(key, 'a property that throws when it is read')
  }
}

class Refusal extends TypeError {}

function refuse(key: string, found: string): Refusal {
  return new Refusal(
    `Session key "${key}" was given ${found}. Sessions hold JSON: strings, finite numbers, booleans, null, arrays and plain objects of these.`,
  )
}

function copy(value: unknown, key: string, ancestors: object[]): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw refuse(key, 'a number that is not finite')
      return value === 0 ? 0 : value // JSON has no negative zero
    case 'object':
      return value === null ? null : copyObject(value, key, ancestors)
    default:
      throw refuse(key, value === undefined ? 'undefined' : `a ${typeof value}`)
  }
}

function copyObject(value: object, key: string, ancestors: object[]): object {
  if (ancestors.includes(value)) throw refuse(key, 'an object that contains itself')
  if (ancestors.length === MAX_DEPTH) throw refuse(key, `more than ${MAX_DEPTH} levels of nesting`)
  if (Object.getOwnPropertySymbols(value).length > 0)
    throw refuse(key, 'an object with a symbol key')
  ancestors.push(value)
  const result = Array.isArray(value)
    ? copyArray(value, key, ancestors)
    : copyRecord(value, key, ancestors)
  ancestors.pop()
  return result
}

function copyArray(value: readonly unknown[], key: string, ancestors: object[]): unknown[] {
  if (Object.keys(value).length !== value.length)
    throw refuse(key, 'an array with holes or extra properties')
  return value.map((item) => copy(item, key, ancestors))
}

function copyRecord(value: object, key: string, ancestors: object[]): Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw refuse(key, 'an object that is not plain (a Date, a Map, a class instance)')
  }
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    if (RESERVED_KEYS.has(name)) throw refuse(key, `an object with a "${name}" key`)
    result[name] = copy((value as Record<string, unknown>)[name], key, ancestors)
  }
  return result
}

/** A copy that may be changed freely. `value` has passed `jsonCopy` or `JSON.parse`. */
export function mutableJson<T>(value: T): T {
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : value
}

/** Freezes JSON in place, to the bottom. */
export function freezeJson<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const item of Object.values(value)) freezeJson(item)
  }
  return value
}

/** The same JSON text? Both have passed `jsonCopy` or `JSON.parse`. */
export function sameJson(a: unknown, b: unknown): boolean {
  return (
    a === b ||
    (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b))
  )
}
