// Values that `set` refuses are refused when a record is loaded, too: an attacker who can write to the database must not be able to
// put into a session what a handler could not.

/** Deeper than any sensible session, and far from where recursion would overflow the stack. */
export const MAX_DEPTH = 200

/** Keys that reach an object's prototype instead of its data when somebody merges it carelessly. */
export const RESERVED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** A key may be spelled with escapes, too, which are rare in what we have written ourselves. */
const SUSPICIOUS = [...RESERVED_KEYS, '\\u']

/**
 * Could there be anything in this JSON that `set` refuses: a key that reaches a prototype, or too many levels?
 *
 * A look at the text is cheap. It spares nearly every session from being walked when it is loaded.
 */
export function isSuspicious(text: string): boolean {
  for (const part of SUSPICIOUS) if (text.includes(part)) return true
  return text.length > MAX_DEPTH * 2 && opensMany(text) // each level takes two characters at least
}

/** Could it be nested too deeply? Brackets inside of strings count as well, so the count may be too high and never too low. */
function opensMany(text: string): boolean {
  let openings = 0
  for (const bracket of '[{') {
    let at = text.indexOf(bracket)
    for (; at >= 0; at = text.indexOf(bracket, at + 1)) if (++openings > MAX_DEPTH) return true
  }
  return false
}

/** Would `set` take it, if it may be so many levels deep? `value` comes from `JSON.parse`. */
export function isAcceptable(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  if (Array.isArray(value)) return value.every((item) => isAcceptable(item, levels - 1))
  // Six times as fast as `Object.entries`.
  for (const name in value) {
    if (RESERVED_KEYS.has(name)) return false
    if (!isAcceptable((value as Record<string, unknown>)[name], levels - 1)) return false
  }
  return true
}
