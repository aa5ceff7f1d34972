// JavaScript ignores an option that does not exist. For a session library that is dangerous: a misspelt timeout is no timeout.

import { adviceOn } from './option-advice.ts'
import { kindOf, OPTIONS, type Place } from './options.ts'

/** Not a list, a function, a `Map` or a `Promise`, of which JavaScript would read no option and say nothing. */
const OBJECT = /^\[object (?:Object|Module)\]$/

/** Short and printable: a longer name may be a value that came to the wrong place. */
const NAME = /^[\w.$-]{1,30}$/

/**
 * A copy of `options` with nothing but the options of that place. One that is `undefined` is left out: it means the default.
 *
 * @throws TypeError for an option that does not exist, naming the likeliest one, and for a value of the wrong type. It never shows a value.
 */
export function checkOptions<T extends object>(place: Place, options: T = {} as T): T {
  const [caller, path] = place === 'cookie' ? ['session(): ', 'cookie.'] : [`${place}: `, '']
  const known = OPTIONS[place]
  if (!OBJECT.test(Object.prototype.toString.call(options))) throw noObject(caller, path, known)
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue
    const what = NAME.test(name) ? `no option "${path}${name}"` : 'no such option'
    throw new TypeError(`${caller}there is ${what}. ${adviceOn(name, place)}`)
  }
  const checked: Record<string, unknown> = {}
  for (const [name, kind] of Object.entries(known)) {
    const [words, fits, isRequired] = kindOf(kind)
    const value = (options as Record<string, unknown>)[name]
    if (value === undefined && !isRequired) continue
    if (!fits(value)) throw new TypeError(`${caller}${path}${name} must be ${words}.`)
    checked[name] = value
  }
  return checked as T
}

function noObject(caller: string, path: string, known: object): TypeError {
  const what = path ? 'cookie' : 'options'
  return new TypeError(`${caller}${what} must be an object, such as { ${Object.keys(known)[0]} }.`)
}
