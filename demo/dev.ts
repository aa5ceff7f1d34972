// `npm run dev`: the playground in three isolates, behind a door. Options go to `wrangler dev`: `npm run dev -- --port 3000`.
import { spawnSync } from 'node:child_process'
import { prepareDevVars } from './dev-vars.ts'

const CONFIGS = [
  'demo/isolates/door.toml',
  'wrangler.toml',
  'demo/isolates/b.toml',
  'demo/isolates/c.toml',
]
const options = process.argv.slice(2)

prepareDevVars()

const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/wrangler/bin/wrangler.js',
    'dev',
    ...CONFIGS.flatMap((config) => ['--config', config]),
    // Where `wrangler dev` alone keeps it too: the first configuration would have it beside itself.
    ...(options.includes('--persist-to') ? [] : ['--persist-to', '.wrangler/state']),
    ...options,
  ],
  {
    stdio: 'inherit',
    // Nothing here needs the network, so nothing is to complain that there is none.
    env: { CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false', ...process.env },
  },
)
process.exitCode = status ?? 1
