// Runs a command with every database server there: `node test/servers/support/with-servers.ts npm test`. Each is on a port of its own
// and named by TEST_POSTGRES_URL, TEST_MYSQL_URL, TEST_REDIS_URL and TEST_MONGODB_URL.
import { spawn } from 'node:child_process'
import { howToHave, KINDS, startServer, variableOf } from './servers.ts'

const servers = await Promise.all(
  KINDS.map(async (kind) => {
    const server = await startServer(kind)
    if (!server) throw new Error(`${kind}: ${howToHave(kind)}`)
    return { variable: variableOf(kind), server }
  }),
)
const urls = Object.fromEntries(servers.map(({ variable, server }) => [variable, server.url]))
const [program = '', ...args] = process.argv.slice(2)
const env = { ...process.env, ...urls, REQUIRE_SERVERS: '1' }
const child = spawn(program, args, { stdio: 'inherit', env })
const status = await new Promise<number>((resolve) => {
  child.once('exit', (code) => resolve(code ?? 1))
})
await Promise.all(servers.map(({ server }) => server.dispose()))
process.exit(status)
