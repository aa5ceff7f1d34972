// Database servers for tests: those that are told by URL, or those whose programs are on this machine.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { MongoClient } from 'mongodb'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import { createClient } from 'redis'

export const KINDS = ['postgres', 'mysql', 'redis', 'mongodb'] as const
export type Kind = (typeof KINDS)[number]

/** A server of the tests' own: they may kill it. */
export interface Server {
  readonly url: string
  readonly port: number
  /** Ends it as a crash would. */
  kill(): Promise<void>
  /** Asks it to end, so that all it has is on disk. */
  stop(): Promise<void>
  /** Starts it again, on the same port and with what it has kept. */
  start(): Promise<void>
  /** Ends it and forgets its data. */
  dispose(): Promise<void>
}

interface Recipe {
  readonly variable: string
  readonly program: string
  /** A file that has to be there beside the program. */
  readonly needs?: string
  readonly howToGet: string
  /** The account it runs under when we are root, which these servers refuse to be. */
  readonly account?: string
  url(port: number): string
  prepare?(directory: string, as: Identity): void
  command(directory: string, port: number): string[]
  ping(url: string): Promise<void>
}

interface Identity {
  readonly uid?: number
  readonly gid?: number
}

const MONGODB_SERVER = 'test/servers/support/mongodb-server'

export const PASSWORD = 'a-password-for-tests'

const RECIPES: Record<Kind, Recipe> = {
  postgres: {
    variable: 'TEST_POSTGRES_URL',
    program: 'postgres',
    howToGet: 'apt-get install postgresql',
    account: 'postgres',
    url: (port) => `postgres://test:${PASSWORD}@127.0.0.1:${port}/postgres`,
    prepare: (directory, as) => {
      const passwordFile = join(directory, 'password')
      writeFileSync(passwordFile, PASSWORD)
      const data = join(directory, 'data')
      const options = ['-U', 'test', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-N']
      run(findProgram('initdb'), ['-D', data, ...options], as)
    },
    command: (directory, port) => [
      ...['-D', join(directory, 'data'), '-p', String(port), '-k', directory],
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=600'],
    ],
    ping: async (url) => {
      const client = new Client(url)
      await client.connect()
      await client.end()
    },
  },
  mysql: {
    variable: 'TEST_MYSQL_URL',
    program: 'mariadbd',
    howToGet: 'apt-get install mariadb-server',
    account: 'mysql',
    url: (port) => `mysql://test:${PASSWORD}@127.0.0.1:${port}/test`,
    prepare: (directory, as) => {
      const data = `--datadir=${join(directory, 'data')}`
      const options = ['--auth-root-authentication-method=normal', '--skip-test-db']
      run(findProgram('mariadb-install-db'), ['--no-defaults', data, ...options], as)
      const statements = [
        'CREATE DATABASE IF NOT EXISTS test;',
        `CREATE USER IF NOT EXISTS 'test'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}';`,
        `GRANT ALL ON *.* TO 'test'@'127.0.0.1' WITH GRANT OPTION;`,
      ]
      writeFileSync(join(directory, 'init.sql'), statements.join('\n'))
    },
    command: (directory, port) => [
      ...['--no-defaults', `--datadir=${join(directory, 'data')}`, `--port=${port}`],
      ...[`--socket=${join(directory, 's')}`, `--pid-file=${join(directory, 'pid')}`],
      ...['--bind-address=127.0.0.1', '--skip-name-resolve', '--max-connections=600'],
      `--init-file=${join(directory, 'init.sql')}`,
    ],
    ping: async (url) => {
      const connection = await createConnection(url)
      await connection.end()
    },
  },
  redis: {
    variable: 'TEST_REDIS_URL',
    program: 'redis-server',
    howToGet: 'apt-get install redis-server',
    url: (port) => `redis://:${PASSWORD}@127.0.0.1:${port}`,
    command: (directory, port) => [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', ''],
      ...['--appendonly', 'yes', '--appendfsync', 'always', '--requirepass', PASSWORD],
    ],
    ping: async (url) => {
      const client = createClient({ url, socket: { reconnectStrategy: false } })
      client.on('error', () => {})
      await client.connect()
      await client.ping().finally(() => client.destroy())
    },
  },
  mongodb: {
    variable: 'TEST_MONGODB_URL',
    program: 'java',
    needs: join(MONGODB_SERVER, 'lib'),
    howToGet: `(cd ${MONGODB_SERVER} && mvn -q dependency:copy-dependencies -DoutputDirectory=lib)`,
    url: (port) => `mongodb://127.0.0.1:${port}/test`,
    command: (directory, port) => [
      ...['-cp', resolve(MONGODB_SERVER, 'lib', '*'), resolve(MONGODB_SERVER, 'Server.java')],
      ...[String(port), join(directory, 'h2')],
    ],
    ping: async (url) => {
      const client = new MongoClient(url, { serverSelectionTimeoutMS: 500 })
      await client
        .db()
        .command({ ping: 1 })
        .finally(() => client.close())
    },
  },
}

/** Debian keeps PostgreSQL's programs off the PATH. */
export function findProgram(program: string): string {
  const versions = (() => {
    try {
      return readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
    } catch {
      return []
    }
  })()
  const folders = [
    ...(process.env.PATH ?? '').split(':'),
    '/usr/sbin',
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
  ]
  const found = folders.find((folder) => {
    try {
      return readdirSync(folder).includes(program)
    } catch {
      return false
    }
  })
  return found === undefined ? '' : join(found, program)
}

function run(program: string, args: string[], as: Identity): void {
  const { status, stderr } = spawnSync(program, args, { ...as, cwd: '/', encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`)
}

export function identityOf(account: string | undefined): Identity {
  if (account === undefined || process.getuid?.() !== 0) return {}
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, account], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

export function variableOf(kind: Kind): string {
  return RECIPES[kind].variable
}

/** The server that an environment variable names. */
export function namedServer(kind: Kind): string | undefined {
  return process.env[variableOf(kind)] || undefined
}

/** Why a test was skipped, and how to have it run. */
export function howToHave(kind: Kind): string {
  const { variable, program, howToGet } = RECIPES[kind]
  return `no ${program} on this machine and no ${variable}. To have it: ${howToGet}`
}

/** Starts one, if its program is here. */
export async function startServer(
  kind: Kind,
  more: readonly string[] = [],
): Promise<Server | undefined> {
  const recipe = RECIPES[kind]
  const program = findProgram(recipe.program)
  if (program === '' || (recipe.needs !== undefined && !existsSync(recipe.needs))) return undefined
  const as = identityOf(recipe.account)
  const directory = mkdtempSync(join(tmpdir(), `${recipe.program}-`))
  if (as.uid !== undefined && as.gid !== undefined) chownSync(directory, as.uid, as.gid)
  recipe.prepare?.(directory, as)
  mkdirSync(join(directory, 'data'), { recursive: true })
  const port = await freePort()
  let child: ChildProcess | undefined
  const url = recipe.url(port)
  const start = async (): Promise<void> => {
    const command = [...recipe.command(directory, port), ...more]
    child = spawn(program, command, { ...as, cwd: '/', stdio: 'ignore' })
    await ready(() => recipe.ping(url), child)
  }
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const { pid } = child ?? {}
    if (pid === undefined || !child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child?.once('exit', resolve))
    const processes = signal === 'SIGKILL' ? [pid, ...childrenOf(pid)] : [pid]
    for (const each of processes) send(signal, each)
    await ended
  }
  await start()
  return {
    url,
    port,
    start,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    dispose: async () => {
      await end('SIGKILL')
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['--ppid', String(pid), '-o', 'pid='], { encoding: 'utf8' })
  return stdout.split('\n').filter(Boolean).map(Number)
}

function send(signal: 'SIGKILL' | 'SIGTERM', pid: number): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

export async function ready(ping: () => Promise<void>, child: ChildProcess): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ping()
    } catch (error) {
      if (attempt === 300 || child.exitCode !== null) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
