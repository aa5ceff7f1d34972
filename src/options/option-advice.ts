// People come with the names of other libraries. The message says what the thing is called here, or that it is done anyway.

import { OPTIONS, type Place } from './options.ts'

/** Names from other libraries, in lower case, and the advice: a sentence, or options, of which the first that exists is meant. */
const HABITS: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/httponly/, 'It is always on and cannot be turned off.'],
  [
    /rolling|autoextend/,
    'Leave it out: a session in use is extended by itself, once per touchAfter.',
  ],
  [
    /^(resave|saveuninitialized|unset|genid|generateid|proxy)$/,
    'Leave it out: it is done for you.',
  ],
  [/absolut/, 'absoluteTimeout'],
  [/secret|passw|encrypt|sign|keygrip|^keys$/, 'secrets'],
  [/idle|maxage|ttl|expir|timeout|duration|lifetime/, 'maxAge idleTimeout'],
  [/^(key|name|namespace|(key)?prefix|table(name)?)$/, 'name prefix table'],
  [/^(max|limit|capacity|max(size|entries|items))$/, 'maxSessions maxSessionBytes'],
  [/^options$/, 'cookie'],
]

/**
 * Advice on an option that does not exist. Names from other libraries come first, because `ttl` is spelt like none of
 * ours; then the nearest spelling; then the whole list.
 */
export function adviceOn(option: string, place: Place): string {
  const name = option
    .slice(0, 40)
    .toLowerCase()
    .replace(/[^a-z]/g, '')
    .replace(/^(cookie|session)+(?=.)/, '')
  const habit = HABITS.find(([pattern]) => pattern.test(name))?.[1]
  if (habit?.endsWith('.')) return habit
  const places = [...new Set<Place>([place, 'session()', 'cookie'])]
  const lookUp = (find: (known: string[]) => string | undefined): string[] =>
    places.flatMap((where) => {
      const meant = find(Object.keys(OPTIONS[where]))
      return meant === undefined ? [] : [spell(meant, where, place)]
    })
  const uses = habit?.split(' ') ?? []
  const [likeliest] = [
    ...lookUp((known) => uses.find((use) => known.includes(use))),
    ...lookUp((known) => nearest(name, known)),
  ]
  if (likeliest !== undefined) {
    return `Use ${likeliest}${/Timeout|Age|After/.test(likeliest) ? ', in seconds' : ''}.`
  }
  return `The options are: ${Object.keys(OPTIONS[place]).join(', ')}.`
}

/** As it is written at that place: an option of the cookie is not where somebody looked for it who passed it to `session()`. */
function spell(option: string, where: Place, place: Place): string {
  if (where === place) return `{ ${option} }`
  const options = where === 'cookie' ? `cookie: { ${option} }` : option
  return place === 'session()' ? `{ ${options} }` : `session({ ${options} })`
}

/** The option whose spelling differs least. Not one that differs in half of its letters: wrong advice is worse than a list. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const most = Math.min(3, name.length / 2)
  return known
    .map((option) => ({ option, steps: distance(name, option.toLowerCase()) }))
    .filter(({ steps }) => steps <= most)
    .sort((a, b) => a.steps - b.steps)[0]?.option
}

/** Letters to insert, delete or replace on the way from one word to the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next[j] = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1)
    }
    row = next
  }
  return row[to.length] ?? 0
}
