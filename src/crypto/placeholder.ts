// Is this a secret, or the words that stand where a secret should be? There is no list of known placeholders, which would
// always be one short: what is left without such words has to be long enough by itself.

import { utf8 } from './values.ts'

/**
 * Words that tell somebody to put a secret here, and that people leave there. Found anywhere in a secret, so that
 * `mySuperSecretKey` and `my_super_secret_key` are one case. Longer words first where one begins another.
 */
const WORDS = new RegExp(
  [
    'authentication|application|environment|placeholder|development|encryption|characters?|passphrase|production|sign',
    'generated?|something|localhost|minimum|passw[o0]rd|insecure|keyboard|session|replace|changed?|purpose|default',
    'testing|example|signing|encrypt|really|length|string|random|secure|unsafe|strong|cookies?|s[e3]cr[e3]t|please',
    'should|complex|simple|sample|insert|choose|enough|private|server|openssl|base64|commit|deploy|before|nobody',
    'master|correct|horse|battery|staple|lorem|ipsum|dolor|quick|brown|jumps|qwertyuiop|asdfghjkl|zxcvbnm|qwerty',
    'super|dummy|token|value|local|chars|bytes?|least|using|enter|never|long|worker|auth|hono|iron|test|demo|fake',
    'very|here|must|more|than|with|your|this|that|some|only|prod|used|safe|real|todo|keep|rand|goes|make|hash|salt',
  ].join('|'),
  'g',
)

/** Words too short to look for inside others, and small numbers: removed where nothing else stands beside them. */
const SHORT =
  /^(?:\d{1,4}|\d{0,4}(?:key|jwt|the|and|for|not|any|all|our|you|own|use|put|set|add|new|old|env|dev|app|api|web|min|max|abc|foo|bar|baz|cat|dog|fox|er|it|is|an|as|at|be|by|ci|do|in|me|my|no|of|on|or|so|to|we|a|i|s)+\d{0,4})$/

/** ASCII that is neither a lower-case letter nor a digit. */
const SEPARATORS = /[^a-z0-9\x80-\uffff]/g

/** Its groups of digits would pass for small numbers, one UUID in 140,000 (RFC 9562, section 4). */
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

/** Fewer bytes than this that nothing explains are no secret, however long the rest is. */
const MIN_UNEXPLAINED = 12

/** Different characters, or bytes where it is encoded. */
const MIN_DIFFERENT = 8

/** Is it made of the words that stand where a secret should? A name or a date between them does not help. */
export function isPlaceholder(text: string): boolean {
  const lower = text.toLowerCase()
  if (UUID.test(lower)) return isMonotonous(lower.replaceAll('-', ''))
  const pieces = irregular(lower).replace(WORDS, ' ').split(SEPARATORS)
  const rest = pieces.filter((piece) => !SHORT.test(piece)).join('')
  // Words are separated by one or two kinds of character; random ones are of many kinds.
  const kinds = new Set(lower.match(SEPARATORS)).size
  return utf8(rest).length + kinds < MIN_UNEXPLAINED
}

/** Does it repeat itself or count? */
export function isMonotonous(text: string): boolean {
  return new Set(text).size < MIN_DIFFERENT || utf8(irregular(text)).length < MIN_UNEXPLAINED
}

/** The text without what follows from the characters before it: repetitions, and four or more in equal steps. */
function irregular(text: string): string {
  const once = oneRound(text)
  let kept = ''
  for (let start = 0; start < once.length; ) {
    const end = endOfRun(once, start)
    kept += end - start < 4 ? once[start] : ' '
    start = end - start < 4 ? start + 1 : end
  }
  return kept
}

/** The shortest piece that the string repeats to its end, or all of it. */
function oneRound(text: string): string {
  for (let period = 1; period * 2 <= text.length; period++) {
    if (text.startsWith(text.slice(period))) return text.slice(0, period)
  }
  return text
}

/** Where a run of equal steps (`aaaa`, `abcd`, `9753`) ends that begins at `start`. */
function endOfRun(text: string, start: number): number {
  const step = text.charCodeAt(start + 1) - text.charCodeAt(start)
  let end = start + 1
  while (text.charCodeAt(end) - text.charCodeAt(end - 1) === step) end++
  return end
}
