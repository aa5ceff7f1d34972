declare namespace Cloudflare {
  interface Env {
    SESSION_SECRET: string
    DB: D1Database
    KV: KVNamespace
    SESSIONS: DurableObjectNamespace<import('../../src/stores/durable-object.ts').SessionObject>
  }
  interface GlobalProps {
    mainModule: typeof import('../../demo/index.tsx')
    durableNamespaces: 'SessionObject'
  }
}
