import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** The package by its name, as the guides and the examples import it: every entry, the longest name first. */
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
const alias = Object.keys(exports)
  .filter((path) => path !== './package.json')
  .sort((a, b) => b.length - a.length)
  .map((path) => {
    const file = exports[path].default.replace('./dist/', 'src/').replace('.js', '.ts')
    return { find: `isolate-session${path.slice(1)}`, replacement: resolve(file) }
  })

/** The playground as it is deployed, with a secret of this run. */
const playground = {
  wrangler: { configPath: './wrangler.toml' },
  miniflare: { bindings: { SESSION_SECRET: randomBytes(32).toString('base64') } },
}

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [cloudflareTest(playground)],
        test: {
          name: 'workerd',
          include: ['test/*.test.ts', 'test/middleware/*.test.ts', 'test/stores/*.test.ts'],
          setupFiles: ['test/support/no-leaks.ts'],
          // One runtime for all files: a start takes a second each. Tests use names of their own.
          isolate: false,
          maxWorkers: 1,
          // Vitest runs projects with different numbers of workers one after the other, and wants to be told in which order.
          sequence: { groupOrder: 1 },
          // A busy machine is no failure.
          testTimeout: 60_000,
        },
      },
      {
        plugins: [cloudflareTest(playground)],
        test: { name: 'long', include: ['test/long/*.test.ts'] },
      },
      {
        test: {
          name: 'servers',
          include: ['test/servers/*.test.ts'],
          globalSetup: ['test/servers/support/start-servers.ts'],
          // They wait for servers most of the time.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'node',
          include: ['test/node/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        // The playground in Chromium: `npm run test:browser`.
        test: {
          name: 'browser',
          include: ['test/browser/*.test.ts'],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        // As in examples/notes/vitest.config.ts, but for the package's sources.
        resolve: { alias },
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: './examples/notes/wrangler.toml' },
            miniflare: {
              bindings: { MIGRATIONS: await readD1Migrations('examples/notes/migrations') },
            },
          })),
        ],
        test: {
          name: 'examples',
          include: ['examples/*/test/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        // What npm packs, installed elsewhere. Needs the registry; not part of `npm test`.
        test: {
          name: 'package',
          include: ['test/package/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
