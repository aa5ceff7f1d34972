/** What an option may be: words that end the sentence "it must be …", and the test. */
type Kind = readonly [words: string, fits: (value: unknown) => boolean, isRequired?: true]

const isPositive = (value: unknown): boolean => Number.isFinite(value) && Number(value) > 0

export function isStore(value: unknown): boolean {
  return typeof (value as { loadSession?: unknown } | null | undefined)?.loadSession === 'function'
}

const TEXT: Kind = ['a string', (value) => typeof value === 'string']
const BOOLEAN: Kind = ['true or false', (value) => typeof value === 'boolean']
const FUNCTION: Kind = ['a function', (value) => typeof value === 'function']
const COUNT: Kind = ['a positive integer', (value) => Number.isInteger(value) && isPositive(value)]
const TIMEOUT: Kind = [
  'a positive, finite number of seconds, or false',
  (value) => value === false || isPositive(value),
]
const PAUSE: Kind = [
  '0 or a positive, finite number of seconds',
  (value) => value === 0 || isPositive(value),
]
const MAX_AGE: Kind = ['a positive, finite number of seconds', isPositive, true]
const STORE: Kind = [
  'a session store, made with `new`, or a function of the context that gives one',
  (value) => isStore(value) || (typeof value === 'function' && !isStore(value.prototype)),
  true,
]
const SAME_SITE: Kind = [
  "'Lax', 'Strict' or 'None'",
  (value) => typeof value === 'string' && /^(lax|strict|none)$/i.test(value),
]
const SECURE: Kind = [
  "true, false or 'auto'",
  (value) => typeof value === 'boolean' || value === 'auto',
]
/** Checked by those who know more about it. */
const OTHER: Kind = ['', () => true]

const RECORDS = { maxSessionBytes: COUNT }
const TABLE = { table: TEXT, ...RECORDS }

/** Every option there is, by who takes it. `docs/reference.md` lists the same, and a test holds the two together. */
export const OPTIONS = {
  'session()': {
    store: STORE,
    name: TEXT,
    idleTimeout: TIMEOUT,
    absoluteTimeout: TIMEOUT,
    touchAfter: PAUSE,
    secrets: OTHER,
    cookie: OTHER,
    saveOnError: BOOLEAN,
    onEvent: FUNCTION,
  },
  cookie: {
    path: TEXT,
    domain: TEXT,
    sameSite: SAME_SITE,
    secure: SECURE,
    partitioned: BOOLEAN,
    persistent: BOOLEAN,
  },
  MemoryStore: {
    name: TEXT,
    maxSessions: COUNT,
    maxBytes: COUNT,
    warn: BOOLEAN,
    ...RECORDS,
  },
  CookieStore: { secrets: OTHER },
  CachingStore: { maxAge: MAX_AGE },
  DurableObjectStore: { prefix: TEXT, ...RECORDS },
  KVStore: { prefix: TEXT, ...RECORDS },
  RedisStore: { prefix: TEXT, ...RECORDS },
  D1Store: TABLE,
  PostgresStore: TABLE,
  MySQLStore: TABLE,
  SqlStore: TABLE,
  MongoDBStore: RECORDS,
  KeyedStore: RECORDS,
  'sessionCookie()': { owner: OTHER, name: TEXT, secrets: OTHER },
} satisfies Record<string, Record<string, Kind>>

/** Who takes options. */
export type Place = keyof typeof OPTIONS
