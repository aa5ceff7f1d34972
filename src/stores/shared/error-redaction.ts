// Drivers put what they have sent into their errors, and errors are logged. What is known to name things is kept; everything
// else is taken for data.

/**
 * Properties of drivers' errors that name things and hold no data. All others go: `detail`, `where`, `parameters`, `sql`,
 * `keyValue`, `errInfo` and their like repeat what was sent or what a row holds.
 */
const KEPT = new Set(
  `name code errno severity sqlState schema table column constraint dataType routine codeName keyPattern
   errorLabelSet syscall address port hostname fatal`.split(/\s+/),
)

/** Stands where something was taken out. */
const HIDDEN = '…'

/** A string in quotes, as a message has it. */
const QUOTED = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gs
/** A table, a column, a constraint: no data looks like this by accident, unless it was sent. */
const PLAIN_NAME = /^[\w.$@%:/-]+$/

/** How far to follow `cause` and `errors`. */
const MAX_DEPTH = 4

/**
 * A driver's error without the values of the statement that failed: itself if it shows none of them, else a copy of the
 * same class. The original is not changed; it may belong to others, too.
 */
export function withoutData(
  error: unknown,
  values: readonly unknown[],
  statement = '',
  depth: number = MAX_DEPTH,
): unknown {
  const hide = (text: string): string => redact(text, values, statement)
  if (typeof error === 'string') return hide(error)
  if (typeof error !== 'object' || error === null) return error
  if (depth === 0) return undefined
  const nested = (value: unknown): unknown => withoutData(value, values, statement, depth - 1)
  const old = error as Error & { errors?: unknown }
  const message = hide(String(old.message))
  const replaced: Record<string, unknown> = {}
  let isClean = message === String(old.message)
  for (const key of Reflect.ownKeys(old)) {
    if (key === 'message' || key === 'stack' || KEPT.has(key as string)) continue
    if (key === 'cause') replaced.cause = nested(old.cause)
    else if (key === 'errors' && Array.isArray(old.errors)) replaced.errors = old.errors.map(nested)
    else isClean = false
  }
  isClean &&= replaced.cause === old.cause
  isClean &&= sameItems(replaced.errors, old.errors)
  return isClean ? error : copyOf(old, message, replaced)
}

function sameItems(a: unknown, b: unknown): boolean {
  return !Array.isArray(a) || a.every((item, i) => item === (b as unknown[])[i])
}

/** An error of the same class, without what it must not show. */
function copyOf(old: Error, message: string, replaced: Record<string, unknown>): Error {
  const copy = new Error(message)
  if (old instanceof Error) Object.setPrototypeOf(copy, Object.getPrototypeOf(old))
  for (const [key, value] of Object.entries(old)) if (KEPT.has(key)) replaced[key] = value
  // The first line of a stack repeats the message.
  const [, ...frames] = String(old.stack).split('\n    at ')
  replaced.stack = [`${old.name}: ${message}`, ...frames].join('\n    at ')
  for (const [key, value] of Object.entries(replaced)) {
    const enumerable = Object.prototype.propertyIsEnumerable.call(old, key)
    Object.defineProperty(copy, key, { value, enumerable, configurable: true, writable: true })
  }
  return copy
}

/** Hides the values that were sent, and everything in quotes that is not a plain name. */
function redact(message: string, values: readonly unknown[], statement: string): string {
  const sent = values.filter((value) => typeof value === 'string' && value !== '') as string[]
  const words = new Set(statement.split(/\W+/))
  const isName = (text: string): boolean =>
    PLAIN_NAME.test(text) && (words.has(text) || !sent.some((value) => value.includes(text)))
  // MySQL does not escape a quote within quotes; MongoDB prints the keys of an index in several ways.
  const known = message
    .replace(/'.*' for (?=key|column)/gs, `'${HIDDEN}' for `)
    .replace(/dup key: .*/s, `dup key: ${HIDDEN}`)
  return sent
    .sort((a, b) => b.length - a.length)
    .reduce(hideWord, known)
    .replace(QUOTED, (quoted) =>
      isName(quoted.slice(1, -1)) ? quoted : quoted[0] + HIDDEN + quoted[0],
    )
}

/** By hand: a body of 64 kB is no pattern for a regular expression. */
function hideWord(text: string, value: string): string {
  return text.split(value).reduce((before, after) => {
    const isPartOfWord = /\w$/.test(before) && /^\w/.test(value)
    const goesOn = /\w$/.test(value) && /^\w/.test(after)
    return before + (isPartOfWord || goesOn ? value : HIDDEN) + after
  })
}
