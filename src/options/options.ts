// One table of all options. The check, the advice for misspelt ones and a test of docs/reference.md are fed from it, so an
// option that is missing here does not exist, and one that is here is documented.

/** A kind of value: words that end the sentence "it must be …", and the test. */
type Kind = readonly [words: string, fits: (value: unknown) => boolean, isRequired?: true]

const isPositive = (value: unknown): boolean => Number.isFinite(value) && Number(value) > 0

/** Has it the one method that every store has? By its shape and not its class: there may be two copies of this package. */
export function isStore(value: unknown): value is { loadSession: unknown } {
  return typeof (value as { loadSession?: unknown } | null | undefined)?.loadSession === 'function'
}

/** Not a schema itself, of the whole session: that has the property too. */
function isDictionary(value: unknown): value is object {
  const isObject = Object.prototype.toString.call(value) === '[object Object]'
  return isObject && !('~standard' in Object(value))
}

/** arktype's are functions. */
function isStandardSchema(value: unknown): boolean {
  const { validate } = Object((value as { '~standard'?: unknown } | null)?.['~standard'])
  return typeof validate === 'function'
}

/** Kinds of values, by the names that the table below uses. */
type KindName =
  | 'text'
  | 'boolean'
  | 'function'
  | 'count'
  | 'timeout'
  | 'pause'
  | 'max age'
  | 'store'
  | 'same site'
  | 'secure'
  | 'schema'
  | 'reads'
  | 'other'

/**
 * For each kind the words of the error, and the test. Numbers are numbers: `'3600'` from a variable of the environment is
 * refused.
 */
const KINDS: Record<KindName, Kind> = {
  text: ['a string', (value) => typeof value === 'string'],
  boolean: ['true or false', (value) => typeof value === 'boolean'],
  function: ['a function', (value) => typeof value === 'function'],
  count: ['a positive integer', (value) => Number.isInteger(value) && isPositive(value)],
  timeout: [
    'a positive, finite number of seconds, or false',
    (value) => value === false || isPositive(value),
  ],
  pause: ['0 or a positive, finite number of seconds', (value) => value === 0 || isPositive(value)],
  'max age': ['a positive, finite number of seconds', isPositive, true],
  store: [
    'a session store, made with `new`, or a function of the context that gives one',
    (value) => isStore(value) || (typeof value === 'function' && !isStore(value.prototype)),
    true,
  ],
  'same site': [
    "'Lax', 'Strict' or 'None'",
    (value) => typeof value === 'string' && /^(lax|strict|none)$/i.test(value),
  ],
  reads: ["'primary' or 'nearest'", (value) => value === 'primary' || value === 'nearest'],
  secure: ["true, false or 'auto'", (value) => typeof value === 'boolean' || value === 'auto'],
  schema: [
    'an object with a Standard Schema for each key: schema: { visits: z.number() }',
    (value) => isDictionary(value) && Object.values(value).every(isStandardSchema),
  ],
  /** Checked by those who know more about it. */
  other: ['', () => true],
}

/** The kind of that name. */
export function kindOf(name: KindName): Kind {
  return KINDS[name]
}

/** Every option there is, by who takes it. `docs/reference.md` lists the same, and a test holds the two together. */
export const OPTIONS = {
  'session()': {
    store: 'store',
    name: 'text',
    idleTimeout: 'timeout',
    absoluteTimeout: 'timeout',
    touchAfter: 'pause',
    secrets: 'other',
    cookie: 'other',
    saveOnError: 'boolean',
    schema: 'schema',
    onEvent: 'function',
  },
  cookie: {
    path: 'text',
    domain: 'text',
    sameSite: 'same site',
    secure: 'secure',
    partitioned: 'boolean',
    persistent: 'boolean',
  },
  MemoryStore: {
    name: 'text',
    maxSessions: 'count',
    maxBytes: 'count',
    warn: 'boolean',
    maxSessionBytes: 'count',
  },
  CookieStore: { secrets: 'other' },
  CachingStore: { maxAge: 'max age', name: 'text', maxSessions: 'count', maxBytes: 'count' },
  DurableObjectStore: { prefix: 'text', maxSessionBytes: 'count' },
  KVStore: { prefix: 'text', maxSessionBytes: 'count' },
  RedisStore: { prefix: 'text', maxSessionBytes: 'count' },
  D1Store: { table: 'text', reads: 'reads', maxSessionBytes: 'count' },
  PostgresStore: { table: 'text', maxSessionBytes: 'count' },
  MySQLStore: { table: 'text', maxSessionBytes: 'count' },
  SqlStore: { table: 'text', maxSessionBytes: 'count' },
  MongoDBStore: { maxSessionBytes: 'count' },
  KeyedStore: { maxSessionBytes: 'count' },
  'sessionCookie()': { owner: 'other', name: 'text', secrets: 'other' },
} as const

/** Who takes options. */
export type Place = keyof typeof OPTIONS
