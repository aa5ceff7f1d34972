// Only JSON goes into a session, because that is what every backend can keep. Values are copied on their way in and frozen on
// their way out, so no code outside holds a reference to what the session holds, and a change that would be lost throws.

import { MAX_DEPTH, RESERVED_KEYS } from './json-limits.ts'

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
 * A value that passes comes back from any store exactly as it is here, so the check happens once, where the mistake is.
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

/** Tells our own errors from those that a getter of the value throws. */
class Refusal extends TypeError {}

/** `found` says what kind of value it was. The value itself may be a secret, and errors end up in logs. */
function refuse(key: string, found: string, remedy = ''): Refusal {
  return new Refusal(
    `Session key "${key}" was given ${found}. ${remedy}Sessions hold JSON: strings, finite numbers, booleans, null, arrays and plain objects of these.`,
  )
}

/**
 * `JSON.stringify` would drop or change what is refused here, without a word: a `Date` comes back as a string, `undefined` not
 * at all.
 */
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
    case 'undefined':
      throw refuse(key, 'undefined', 'Leave the property out, delete the key, or store null. ')
    case 'bigint':
      throw refuse(key, 'a bigint', 'Store `String(value)` instead. ')
    default:
      throw refuse(key, `a ${typeof value}`)
  }
}

/**
 * Reads every property once: a getter or a proxy may answer differently the next time.
 *
 * `ancestors` and not everything seen so far: one object in two places is fine, it comes back as two.
 */
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

/** None of its own methods is called: a subclass, or the array itself, may have replaced them. */
function copyArray(value: readonly unknown[], key: string, ancestors: object[]): unknown[] {
  if (!isArrayPrototype(Object.getPrototypeOf(value))) {
    throw refuse(key, 'an instance of a subclass of Array', 'Spread it: `[...value]`. ')
  }
  const { length } = value
  if (Object.keys(value).length !== length)
    throw refuse(key, 'an array with holes or extra properties')
  const result: unknown[] = []
  for (let i = 0; i < length; i++) result.push(copy(value[i], key, ancestors))
  return result
}

/** A plain object, property by property. An instance would come back without its class, and the mistake show much later. */
function copyRecord(value: object, key: string, ancestors: object[]): Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && !isObjectPrototype(prototype)) throw refuseInstance(value, key)
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    if (RESERVED_KEYS.has(name)) throw refuse(key, `an object with a "${name}" key`)
    result[name] = copy((value as Record<string, unknown>)[name], key, ancestors)
  }
  return result
}

/** That of any realm: at the end of the chain, and with a method that `Object.create(null)` does not have. */
function isObjectPrototype(prototype: unknown): boolean {
  if (prototype === Object.prototype) return true
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'isPrototypeOf')
  )
}

/** That of any realm: it is an array itself, which the prototype of a subclass is not. */
function isArrayPrototype(prototype: unknown): boolean {
  if (prototype === Array.prototype) return true
  return Array.isArray(prototype) && isObjectPrototype(Object.getPrototypeOf(prototype))
}

/** Advice for the classes that people try most often. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['Date', 'Store `date.toISOString()` instead. '],
  ['Map', 'Spread it into an array, `[...map]`, or make an object of it. '],
  ['Set', 'Spread it into an array: `[...set]`. '],
  ['Promise', 'Await it first. '],
])

function refuseInstance(value: object, key: string): Refusal {
  // The tag may be the caller's own text, so it is only looked up and never shown.
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1)
  const remedy = REMEDIES.get(tag)
  return remedy
    ? refuse(key, `a ${tag}`, remedy)
    : refuse(key, 'a class instance', 'Copy what you need of it into a plain object. ')
}

/**
 * A copy that may be changed freely, for the callback of `update`. `value` has passed `jsonCopy` or `JSON.parse`, so nothing of a
 * caller's runs.
 */
export function mutableJson<T>(value: T): T {
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : value
}

/**
 * Freezes JSON in place, to the bottom. Without it `session.get('cart').push(item)` would work and be lost; frozen, it throws where
 * the mistake is. What is frozen is frozen to the bottom already, because nothing else freezes it.
 */
export function freezeJson<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const item of Object.values(value)) freezeJson(item)
  }
  return value
}

/**
 * The same JSON text? Both have passed `jsonCopy` or `JSON.parse`. Properties in another order count as a difference, which costs
 * one write too many and loses nothing.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  return (
    a === b ||
    (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b))
  )
}
