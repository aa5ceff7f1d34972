// People pass a promise, a URL, an ORM or all of `env` in place of a client. It would fail at the first request, with words
// of the driver; here it fails where the store is made, and says what to pass.

import { SessionError } from '../../errors.ts'

/** Anything but `null` and `undefined`. Properties are looked up by name, and may be missing. */
export type Candidate = Readonly<Record<string, unknown>>

/** One kind of object that is easily passed in place of a client, and what to pass instead. */
export interface Lookalike {
  matches(client: Candidate): boolean
  readonly advice: string
}

/** Lookalikes of every database client. */
const COMMON: readonly Lookalike[] = [
  {
    matches: (client) => typeof client.then === 'function',
    advice: 'this is a promise: await it first.',
  },
  {
    matches: (client) =>
      typeof (client as unknown) === 'string' || client.connectionString !== undefined,
    advice: 'make a client with this URL or binding, and pass that.',
  },
  {
    matches: (client) => client.$client !== undefined,
    advice: 'pass the client below the ORM, `db.$client`.',
  },
]

/**
 * @param takes What the store takes, for the message.
 * @param fits Does it have the methods the store calls?
 * @throws TypeError for anything else, with a sentence that says what to pass.
 */
export function checkClient(
  client: unknown,
  takes: string,
  fits: Lookalike['matches'],
  lookalikes: readonly Lookalike[] = [],
): void {
  if (client === undefined || client === null) {
    throw new TypeError(`${takes}, and got ${client}. Check what it is made from, and its name.`)
  }
  const candidate = client as Candidate
  const found = [...COMMON, ...lookalikes].find(({ matches }) => matches(candidate))
  if (found) throw new TypeError(`${takes}; ${found.advice}`)
  if (!fits(candidate)) throw new TypeError(`${takes}. ${whatItIs(client, fits)}`)
}

/** Names of classes and properties may be said, values may not: `env` holds secrets beside bindings. */
function whatItIs(client: unknown, fits: Lookalike['matches']): string {
  if (typeof client === 'function' && client.prototype) return 'This is a class: pass an instance.'
  const holder = Object(client) as Record<string, unknown>
  const isClient = (name: string): boolean =>
    Object(holder[name]) === holder[name] && fits(holder[name] as Candidate)
  const name = Object.keys(holder).find(isClient)
  if (name !== undefined) return `This is an object that holds one: pass its property \`${name}\`.`
  return `This is something else, of the kind ${holder.constructor?.name || 'Object'}.`
}

/** A missing binding: the likeliest mistake of all, and one that `wrangler dev` does not notice by itself. */
export function checkBinding(binding: unknown, store: string, table: string, name: string): void {
  if (binding !== undefined && binding !== null && typeof binding !== 'string') return
  const given = typeof binding === 'string' ? 'a string' : binding
  throw new TypeError(
    `${store} got ${given} instead of a binding. Pass \`env.${name}\`, and check in the Wrangler configuration that \`${table}\` has a binding of this name (each environment needs its own). Then start \`wrangler dev\` again.`,
  )
}

/** The client answered, but not in the expected form. Never to be taken for "no session". */
export function answerNotUnderstood(what: string): SessionError {
  return new SessionError(
    'STORE_FAILED',
    `The database client answered with ${what}. Remove its options that change results (renamed columns, rows as arrays, raw values, own type parsers), or pass a client that the documentation of the store names.`,
  )
}

/** Did a write take effect? Triggers may add to the count, so it is never compared with one. */
export function atLeastOne(count: unknown): boolean {
  if (!(typeof count === 'bigint' || Number.isInteger(count))) {
    throw answerNotUnderstood('a count that is not a number')
  }
  return (count as number | bigint) > 0
}
