declare namespace Cloudflare {
  interface Env {
    DB: D1Database
    MIGRATIONS: import('@cloudflare/vitest-plugin').D1Migration[]
  }
  interface GlobalProps {
    mainModule: typeof import('../src/index.js')
  }
}
