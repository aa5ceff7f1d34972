// A PgBouncer in transaction mode in front of a PostgreSQL: the next statement of a client may reach another connection.
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { findProgram, freePort, identityOf, ready } from './servers.ts'

export const hasPgBouncer = findProgram('pgbouncer') !== ''

export async function startPgBouncer(
  postgres: string,
): Promise<{ url: string; close: () => Promise<void> }> {
  const { hostname, port, username, password, pathname } = new URL(postgres)
  const directory = mkdtempSync(join(tmpdir(), 'pgbouncer-'))
  const own = await freePort()
  const database = pathname.slice(1)
  const file = join(directory, 'pgbouncer.ini')
  const lines = [
    '[databases]',
    `${database} = host=${hostname} port=${port} dbname=${database} user=${username} password=${password}`,
    '[pgbouncer]',
    ...['listen_addr = 127.0.0.1', `listen_port = ${own}`, 'unix_socket_dir =', 'auth_type = any'],
    ...['pool_mode = transaction', 'default_pool_size = 20', 'max_client_conn = 500'],
  ]
  writeFileSync(file, lines.join('\n'), { mode: 0o644 })
  // It does not run as root, so its account has to be able to read what root wrote.
  chmodSync(directory, 0o755)
  const child = spawn(findProgram('pgbouncer'), ['-q', file], {
    ...identityOf('postgres'),
    cwd: '/',
    stdio: 'ignore',
  })
  const url = `postgres://${username}:${password}@127.0.0.1:${own}/${database}`
  await ready(async () => {
    const client = new Client(url)
    await client.connect()
    await client.end()
  }, child)
  return {
    url,
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
      rmSync(directory, { recursive: true })
    },
  }
}
