// A whole Worker for each store, to be copied from the playground. A test starts every one of them.

interface Parts {
  readonly store: string
  /** Where the classes come from, by their names. */
  readonly imports?: Readonly<Record<string, string>>
  /** The configuration that it needs beside the code, line by line. */
  readonly needs?: readonly string[]
  /** Further exports of the Worker. */
  readonly exports?: string
}

const DATABASE =
  'wrangler.jsonc: "d1_databases": [{ "binding": "DB", "database_name": "sessions" }]'
const TABLE = 'its table is in d1.sql of the package: npx wrangler d1 execute sessions --file …'

const PARTS: Readonly<Record<string, Parts>> = {
  memory: { store: 'new MemoryStore()' },
  cookie: {
    store: 'new CookieStore({ secrets: env.SESSION_SECRET })',
    needs: ['.dev.vars: SESSION_SECRET="…", from openssl rand -base64 32'],
  },
  'durable-object': {
    store: 'new DurableObjectStore(env.SESSIONS)',
    imports: { DurableObjectStore: 'durable-object' },
    needs: [
      'wrangler.jsonc: "durable_objects": { "bindings": [{ "name": "SESSIONS", "class_name": "SessionObject" }] },',
      '                "migrations": [{ "tag": "v1", "new_sqlite_classes": ["SessionObject"] }]',
    ],
    exports: "export { SessionObject } from 'isolate-session/durable-object'",
  },
  d1: {
    store: 'new D1Store(env.DB)',
    imports: { D1Store: 'd1' },
    needs: [DATABASE, TABLE],
  },
  kv: {
    store: 'new KVStore(env.KV)',
    imports: { KVStore: 'kv' },
    needs: ['wrangler.jsonc: "kv_namespaces": [{ "binding": "KV" }]'],
  },
  caching: {
    store: 'new CachingStore(new D1Store(env.DB), { maxAge: 10 })',
    imports: { CachingStore: 'caching', D1Store: 'd1' },
    needs: [DATABASE, TABLE],
  },
}

/** The stores of the playground. */
export const WORKERS: readonly string[] = Object.keys(PARTS)

/** The Worker that keeps its sessions in this store. */
export function workerFor(name: string): string {
  const { store, imports = {}, needs = [], exports } = PARTS[name] ?? { store: '' }
  const core = store.match(/\b(Memory|Cookie)Store\b/)?.[0]
  const lines = [
    ...needs.map((need) => `// ${need}`),
    ...(store.includes('env.') ? ["import { env } from 'cloudflare:workers'"] : []),
    "import { Hono } from 'hono'",
    `import { ${core ? `${core}, ` : ''}type SessionEnv, session } from 'isolate-session'`,
    ...Object.entries(imports).map(
      ([name, entry]) => `import { ${name} } from 'isolate-session/${entry}'`,
    ),
    '',
    'const app = new Hono<SessionEnv<{ visits: number }>>()',
    '',
    `app.use(session({ store: ${store} }))`,
    '',
    "app.get('/', (c) => {",
    "  c.var.session.update('visits', (visits = 0) => visits + 1)",
    "  return c.text(`Visit ${c.var.session.get('visits')}`)",
    '})',
    '',
    ...(exports ? [exports] : []),
    'export default app',
  ]
  return `${lines.join('\n')}\n`
}
