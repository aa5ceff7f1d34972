declare namespace Cloudflare {
  interface Env {
    SESSION_SECRET: string
    DB: D1Database
    KV: KVNamespace
    SESSIONS: DurableObjectNamespace<import('../../src/stores/durable-object.js').SessionObject>
  }
  interface GlobalProps {
    mainModule: typeof import('../../demo/index.js')
    durableNamespaces: 'SessionObject'
  }
}
