import { resolve } from 'node:path'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: {
          name: 'workerd',
          include: ['test/*.test.ts', 'test/stores/*.test.ts'],
          setupFiles: ['test/support/no-leaks.ts'],
          testTimeout: 60_000,
          // One runtime for all files: a start takes a second each. Tests use names of their own.
          isolate: false,
          maxWorkers: 1,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: { name: 'long', include: ['test/long/*.test.ts'] },
      },
      {
        test: {
          name: 'servers',
          include: ['test/servers/*.test.ts'],
          globalSetup: ['test/servers/support/start-servers.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // The guides in docs import the package by its name.
        resolve: {
          alias: {
            'isolate-session/testing': resolve('src/testing.ts'),
            'isolate-session': resolve('src/index.ts'),
          },
        },
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
    ],
  },
})
