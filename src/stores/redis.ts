/**
 * @module isolate-session/redis
 */

import { isValueShaped } from '../crypto/values.ts'
import { checkOptions } from '../options/check-options.ts'
import type { SessionRecord } from '../session/session-record.ts'
import type { KeyedStoreOptions } from '../storage/keyed-store.ts'
import { type Removal, SelfIndexedStore } from '../storage/self-indexed-store.ts'
import {
  answerNotUnderstood,
  atLeastOne,
  type Candidate,
  checkClient,
  type Lookalike,
} from './shared/client.ts'
import { driverAdvice } from './shared/driver-error.ts'
import { checkPrefix } from './shared/prefix.ts'

export type { KeyedStoreOptions } from '../storage/keyed-store.ts'
export type { SelfIndexedStore } from '../storage/self-indexed-store.ts'

/** The subset of a client that `RedisStore` uses: of node-redis, of ioredis (also its `Cluster`), or of `@upstash/redis`. */
export type RedisClient = NodeRedisClient | IORedisClient | HttpRedisClient

/** The subset of a `redis` client that `RedisStore` uses. */
export interface NodeRedisClient {
  /** As `client.sendCommand`: sends one command. */
  sendCommand(command: string[], options?: { typeMapping?: object }): Promise<unknown>
}

/** The subset of an `ioredis` client, or its `Cluster`, that `RedisStore` uses. */
export interface IORedisClient {
  /** As `Redis.call`: sends one command. */
  call(command: string, ...args: string[]): Promise<unknown>
  /** Only looked at: a client with a `keyPrefix` is refused. */
  readonly options?: { readonly keyPrefix?: string | undefined }
  /** A `Cluster` has it. */
  nodes?(role: 'master'): IORedisClient[]
}

/** The subset of an `@upstash/redis` client that `RedisStore` uses. */
export interface HttpRedisClient {
  /** Sends one command. */
  exec(command: [string, ...string[]]): Promise<unknown>
}

/** The options of `RedisStore`. */
export interface RedisStoreOptions extends KeyedStoreOptions {
  /** Begins every key. Default `'session:'`. */
  readonly prefix?: string
}

/** A script, and the SHA-1 of its text in hex, by which a server knows it. A test holds the one to the other. */
interface Script {
  readonly hash: string
  readonly text: string
}

// Each script reads and writes one key, so that it runs on a cluster, too. The text of a record begins with its version and
// tells its expiry and owner before its body: `{"version":"…","expiry":…,"owner":…,"body":"…"}`.

/** Writes if what is there begins as expected. */
const REPLACE_SCRIPT: Script = {
  hash: '448deee08a6fb802e297c56a88689d0a18e1178d',
  text: `
local old = redis.call('GET', KEYS[1]) or ''
if string.sub(old, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], unpack(ARGV, 3))
return 1`,
}

/** Removes if what is there begins as expected, and gives it without its body. */
const REMOVE_SCRIPT: Script = {
  hash: '9191148a2a66db937dba8643cb37c036e285746c',
  text: `
local old = redis.call('GET', KEYS[1]) or ''
if old == '' or string.sub(old, 1, #ARGV[1]) ~= ARGV[1] then return false end
redis.call('DEL', KEYS[1])
return (string.gsub(old, ',"body":.*', '') .. '}')`,
}

/** Notes how long one session of an owner lives at most, and forgets those that ended long ago. */
const INDEX_SCRIPT: Script = {
  hash: '671a1eafeaa132d5b1006fe8a5c7fed5de7caca9',
  text: `
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('PERSIST', KEYS[1])
return 1`,
}

/** A session that ended so long ago, in milliseconds, has ended by every clock. */
const LONG_AGO = 3_600_000

/** Plain strings and numbers, whatever type mapping the node-redis client is configured with. */
const PLAIN = { typeMapping: {} }

const LOOKALIKES: readonly Lookalike[] = [
  {
    matches: (client) => 'masters' in client,
    advice: "for a cluster pass the `Cluster` of ioredis: node-redis's has other methods.",
  },
  {
    matches: ({ getMasterNode }) => typeof getMasterNode === 'function',
    advice:
      'for Sentinel pass `new Redis({ sentinels, name })` of ioredis, or what `sentinel.acquire()` gives.',
  },
  {
    matches: ({ execAsPipeline, isPipeline }) => Boolean(execAsPipeline || isPipeline),
    advice: 'pass the client itself, not a transaction or a pipeline of it.',
  },
  {
    matches: ({ hGetAll, withTypeMapping }) => Boolean(hGetAll && !withTypeMapping),
    advice: 'pass the client itself, not `client.legacy()`.',
  },
  {
    matches: ({ options }) => Boolean((options as Candidate | undefined)?.keyPrefix),
    advice: 'pass a client without keyPrefix, and `prefix` to the store instead.',
  },
]

/** How the text of a record ends that a rotation has left: it has no body. */
const DEAD_END = '"body":""}'

/** Keys looked at in one step of a scan. */
const SCAN_COUNT = '1000'

/**
 * Sessions in Redis 6.2 or newer, or in what speaks its protocol: a key each. Every operation is one command or one script
 * on one key. Redis removes expired sessions by itself, to the millisecond.
 *
 * The client is yours. In a Worker make one for each request, in `store: async (c) => …`, which is not called for a request
 * that needs no session.
 *
 * By default Redis acknowledges a write before a replica has it and before it is on disk: after a crash or a
 * failover the last moments may be undone, a sign-out included (`appendfsync always`, `min-replicas-to-write`). Give it
 * the primary, not a replica, and `maxmemory-policy noeviction`: an evicted session is a visitor signed out, and an evicted
 * index is a session that sign-out-everywhere misses.
 *
 * On a cluster it works through ioredis's `Cluster`. The cluster client of node-redis has other methods and is not taken.
 */
export class RedisStore extends SelfIndexedStore {
  readonly #client: RedisClient
  readonly #prefix: string

  /**
   * Sessions in Redis 6.2 or newer, a key each, through a client of yours.
   *
   * @throws TypeError for an object that is not a Redis client, and for a prefix that is not printable ASCII.
   */
  constructor(client: RedisClient, options?: RedisStoreOptions) {
    const { prefix = 'session:', ...rest } = checkOptions('RedisStore', options)
    super(rest)
    checkClient(
      client,
      'RedisStore takes a client of node-redis, of ioredis (or its Cluster) or of @upstash/redis',
      isClient,
      LOOKALIKES,
    )
    this.#client = client
    this.#prefix = checkPrefix(prefix)
  }

  /** @inheritDoc */
  override get cacheName(): string {
    return `redis ${this.#prefix}`
  }

  /** How many sessions there are. Walks over all keys of the database. */
  async count(): Promise<number> {
    return this.ask('count its sessions', async () => {
      const seen = new Set<string>()
      await this.#scan(async (_node, keys) => {
        const records = keys.filter((key) => this.#isRecord(key) && !seen.has(key))
        const ends = await Promise.all(
          records.map((key) => this.#send('GETRANGE', key, `-${DEAD_END.length}`, '-1')),
        )
        for (const [i, key] of records.entries()) if (ends[i] !== DEAD_END) seen.add(key)
      })
      return seen.size
    })
  }

  /**
   * Forgets which sessions owners had who never came back. Redis removes the sessions by itself. Returns how many it forgot.
   * Walks over all keys of the database.
   */
  async cleanup(): Promise<number> {
    return this.ask('clean up', async () => {
      let forgotten = 0
      await this.#scan(async (node, keys) => {
        for (const key of keys.filter((each) => each.startsWith(this.#ownerKey('')))) {
          const ended = String(Date.now() - LONG_AGO)
          forgotten += Number(await send(node, ['ZREMRANGEBYSCORE', key, '-inf', ended]))
        }
      })
      return forgotten
    })
  }

  /** @inheritDoc */
  protected async read(id: string): Promise<SessionRecord | undefined> {
    return parse(await this.#send('GET', this.#prefix + id))
  }

  /** @inheritDoc */
  protected async insertRecord(id: string, record: SessionRecord): Promise<boolean> {
    const reply = await this.#send('SET', this.#prefix + id, ...scriptArguments(record), 'NX')
    if (reply === null) return false
    if (reply === 'OK') return true
    throw answerNotUnderstood('something else than OK')
  }

  /** @inheritDoc */
  protected async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    const values = [versionPrefix(version), ...scriptArguments(record)]
    const count = await this.#run(REPLACE_SCRIPT, this.#prefix + id, ...values)
    return atLeastOne(typeof count === 'string' ? Number(count) : count) // ioredis, with stringNumbers
  }

  /** @inheritDoc */
  protected async removeRecord(id: string, version?: string): Promise<Removal> {
    const expected = version === undefined ? '' : versionPrefix(version)
    const reply = await this.#run(REMOVE_SCRIPT, this.#prefix + id, expected)
    return { isDone: reply !== null, owner: parse(reply)?.owner ?? null }
  }

  /** @inheritDoc */
  protected async removeAll(): Promise<void> {
    await this.#scan(async (node, keys) => {
      const ours = keys.filter((key) => this.#isRecord(key) || key.startsWith(this.#ownerKey('')))
      // One by one: the keys of a cluster's node are not all in one slot.
      await Promise.all(ours.map((key) => send(node, ['UNLINK', key])))
    })
  }

  /** @inheritDoc */
  protected async addEntry(owner: string, id: string, expiry: number | null): Promise<void> {
    const values = [id, String(expiry ?? '+inf'), String(Date.now() - LONG_AGO)]
    await this.#run(INDEX_SCRIPT, this.#ownerKey(owner), ...values)
  }

  /** @inheritDoc */
  protected async removeEntries(owner: string, ids: readonly string[]): Promise<void> {
    await this.#send('ZREM', this.#ownerKey(owner), ...ids)
  }

  /** @inheritDoc */
  protected async entriesOf(owner: string): Promise<string[]> {
    const ids = await this.#send('ZRANGE', this.#ownerKey(owner), '0', '-1')
    if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids
    throw answerNotUnderstood('no list of text')
  }

  /** @inheritDoc */
  protected override advice(error: unknown): string | undefined {
    // The second is what a script says.
    if (/NOPERM|ACL failure|executing the script/.test(String(error))) {
      return 'The Redis user may not do this. Give it the commands that docs/servers.md lists, on the keys of the prefix.'
    }
    return driverAdvice(error, /WRONGPASS|NOAUTH/.test(String(error)))
  }

  /** A prefix has no space, so no store makes the key of another's, whatever an owner is called. */
  #ownerKey(owner: string): string {
    return `${this.#prefix} owner ${owner}`
  }

  #isRecord(key: string): boolean {
    return key.startsWith(this.#prefix) && isValueShaped(key.slice(this.#prefix.length))
  }

  /** Every key that begins with the prefix, some of them twice; on a cluster, of every node. */
  async #scan(visit: (node: RedisClient, keys: string[]) => Promise<void>): Promise<void> {
    const pattern = `${this.#prefix.replace(/[\\*?[\]^]/g, '\\$&')}*`
    const nodes = ('nodes' in this.#client && this.#client.nodes?.('master')) || [this.#client]
    for (const node of nodes) {
      let cursor = '0'
      do {
        const page = await send(node, ['SCAN', cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT])
        const [next, keys] = page as [unknown, unknown[]]
        await visit(node, keys.map(String))
        cursor = String(next)
      } while (cursor !== '0')
    }
  }

  #send(...command: [string, ...string[]]): Promise<unknown> {
    return send(this.#client, command)
  }

  /** By its hash; with its text if the server does not know it yet. */
  async #run({ text, hash }: Script, key: string, ...values: string[]): Promise<unknown> {
    try {
      return await this.#send('EVALSHA', hash, '1', key, ...values)
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error
      return this.#send('EVAL', text, '1', key, ...values)
    }
  }
}

/** The end of a message of @upstash/redis, which repeats the command. */
const SENT = /, command was: .*/

/** Sends one command with whichever client it is. */
async function send(client: RedisClient, command: [string, ...string[]]): Promise<unknown> {
  try {
    // In this order: an ioredis client has a method `sendCommand`, too, of another kind.
    if ('call' in client) return await client.call(...command)
    if ('exec' in client) return await client.exec(command)
    return await client.sendCommand(command, PLAIN)
  } catch (error) {
    // Errors are logged, and some clients put what they have sent into them: the session.
    if (error instanceof Error) {
      Reflect.deleteProperty(error, 'command')
      error.message = error.message.replace(SENT, '')
      error.stack = error.stack?.replace(SENT, '') ?? ''
    }
    throw error
  }
}

function isClient(client: Candidate): boolean {
  // Every function has a method `call`.
  if (typeof client !== 'object') return false
  return ['call', 'sendCommand', 'exec'].some((method) => typeof client[method] === 'function')
}

/** How the text of a record with this version begins, and of no other. */
function versionPrefix(version: string): string {
  return `{"version":${JSON.stringify(version)}`
}

/** The text of a record, and how long it is to be kept. */
function scriptArguments({ version, expiry, owner, body }: SessionRecord): string[] {
  const text = JSON.stringify({ version, expiry, owner, body })
  // In milliseconds from now: the server's clock may be another.
  return expiry === null
    ? [text]
    : [text, 'PX', String(Math.max(1, Math.ceil(expiry - Date.now())))]
}

/** Reads a reply: a string, or an object if an HTTP client has parsed it already. One that cannot be read is no session. */
function parse(reply: unknown): SessionRecord | undefined {
  if (reply === null) return undefined
  if (typeof reply === 'string') return parseText(reply)
  if (isPlainObject(reply)) return reply as unknown as SessionRecord
  throw answerNotUnderstood('something else than text')
}

/** A string that holds no record is no session. */
function parseText(text: string): SessionRecord | undefined {
  try {
    const record: unknown = JSON.parse(text)
    return isPlainObject(record) ? (record as unknown as SessionRecord) : undefined
  } catch {
    return undefined
  }
}

function isPlainObject(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  )
}
