/**
 * @module isolate-session/redis
 */
import { checkOptions } from '../check-options.js'
import { isValueShaped } from '../crypto.js'
import { driverAdvice } from '../driver-error.js'
import { IndexedStore, type KeyedStoreOptions } from '../keyed-store.js'
import { checkPrefix } from '../prefix.js'
import type { SessionRecord } from '../session-record.js'

/** What is called of a client: of node-redis, of ioredis (also its `Cluster`), or of one that speaks HTTP (`@upstash/redis`). */
export type RedisClient = NodeRedisClient | IORedisClient | HttpRedisClient

export interface NodeRedisClient {
  sendCommand(command: string[]): Promise<unknown>
}

export interface IORedisClient {
  call(command: string, ...args: string[]): Promise<unknown>
  readonly options?: { readonly keyPrefix?: string | undefined }
  /** A `Cluster` has it. */
  nodes?(role: 'master'): IORedisClient[]
}

export interface HttpRedisClient {
  exec(command: [string, ...string[]]): Promise<unknown>
}

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

/**
 * Writes, or removes if there is no new text, if what is there begins as expected; where nothing is expected, nothing may be
 * there. Gives what was there, without its body. A call that is made again because its reply was lost finds its own text.
 */
const WRITE: Script = {
  hash: 'f231ea2fda8c4e525deba075a9b0106c106faf57',
  text: `
local expected, mine, text = ARGV[1], ARGV[2], ARGV[3]
local old = redis.call('GET', KEYS[1]) or ''
local function begins(start) return string.sub(old, 1, #start) == start end
if text and begins(mine) then return '{}' end
if (old == '') ~= (expected == '') or not begins(expected) then return false end
if text then redis.call('SET', KEYS[1], text, unpack(ARGV, 4)) else redis.call('DEL', KEYS[1]) end
return old == '' and '{}' or string.gsub(old, ',"body":.*', '') .. '}'`,
}

/** Notes one session of an owner, forgets those that have expired, and lives as long as the last one. */
const KEEP: Script = {
  hash: '143dada4251bdfd13a52c54d4ad7de632181819a',
  text: `
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
if last == 'inf' then redis.call('PERSIST', KEYS[1])
else redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last - ARGV[3])) end`,
}

/** Keys looked at in one step of a scan. */
const SCAN_COUNT = '1000'

/**
 * Sessions in Redis, or in what speaks its protocol: a key each. Every verb is one command or one script on one key. Redis
 * removes expired sessions by itself, to the millisecond.
 *
 * The client is yours. In a Worker make one for each request, in `store: async (c) => …`, which is not called for a request
 * that needs no session.
 *
 * Redis acknowledges a write before a replica has it and before it is on disk, unless it is told otherwise: after a crash or a
 * failover the last moments may be undone, a sign-out included (`appendfsync always`, `min-replicas-to-write`). Give it
 * the primary, not a replica, and a `maxmemory-policy` that evicts no live session (`noeviction`, `volatile-ttl`).
 *
 * On a cluster it works through ioredis's `Cluster`. The cluster client of node-redis has other methods and is not taken.
 */
export class RedisStore extends IndexedStore {
  readonly #client: RedisClient
  readonly #prefix: string

  /** @throws TypeError for a client that is none, and for a prefix that is not printable ASCII. */
  constructor(client: RedisClient, options?: RedisStoreOptions) {
    const { prefix = 'session:', ...rest } = checkOptions('RedisStore', options)
    super(rest)
    this.#client = checkClient(client)
    this.#prefix = checkPrefix(prefix)
  }

  override get cacheName(): string {
    return `redis ${this.#prefix}`
  }

  /** How many sessions there are. Walks over all keys of the database. */
  async count(): Promise<number> {
    return this.ask('count its sessions', async () => {
      const seen = new Set<string>()
      await this.#scan(async (_node, keys) => {
        for (const key of keys) if (this.#isRecord(key)) seen.add(key)
      })
      return seen.size
    })
  }

  protected async read(id: string): Promise<SessionRecord | undefined> {
    return parse(await this.#send('GET', this.#prefix + id))
  }

  protected async insert(id: string, record: SessionRecord): Promise<boolean> {
    const before = await this.#write(id, '', record)
    if (before) await this.#index(id, record)
    return before !== undefined
  }

  protected async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    const before = await this.#write(id, beginning(version), record)
    if (before && before.expiry !== record.expiry) await this.#index(id, record)
    return before !== undefined
  }

  protected async remove(id: string, version?: string): Promise<boolean> {
    const before = await this.#write(id, version === undefined ? '{' : beginning(version))
    if (before?.owner) await this.#send('ZREM', this.#ownerKey(before.owner), id)
    return before !== undefined
  }

  protected async removeAll(): Promise<void> {
    await this.#scan(async (node, keys) => {
      const ours = keys.filter((key) => this.#isRecord(key) || key.startsWith(this.#ownerKey('')))
      // One by one: the keys of a cluster's node are not all in one slot.
      await Promise.all(ours.map((key) => send(node, ['UNLINK', key])))
    })
  }

  protected override async recordsOf(
    owner: string,
  ): Promise<[id: string, record: SessionRecord][]> {
    const ids = (await this.#send('ZRANGE', this.#ownerKey(owner), '0', '-1')) as string[]
    const records = await Promise.all(ids.map((id) => this.read(id)))
    const gone = ids.filter((_id, i) => records[i] === undefined)
    // A record is written before its entry, so an entry without one is left over.
    if (gone.length > 0) await this.#send('ZREM', this.#ownerKey(owner), ...gone)
    return ids.flatMap((id, i) => {
      const record = records[i]
      return record ? [[id, record]] : []
    })
  }

  protected override advice(error: unknown): string | undefined {
    return driverAdvice(error, /WRONGPASS|NOAUTH|NOPERM/.test(String(error)))
  }

  /** Gives what was there; `undefined`: it was not as expected, and nothing was done. */
  async #write(
    id: string,
    expected: string,
    record?: SessionRecord,
  ): Promise<SessionRecord | undefined> {
    const values = record ? written(record) : []
    return parse(await this.#run(WRITE, this.#prefix + id, expected, ...values))
  }

  async #index(id: string, { owner, expiry }: SessionRecord): Promise<void> {
    if (owner === null) return
    const values = [id, String(expiry ?? '+inf'), String(Date.now())]
    await this.#run(KEEP, this.#ownerKey(owner), ...values)
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

/** What @upstash/redis says of what it has sent, at the end of a message. */
const SENT = /, command was: .*/

async function send(client: RedisClient, command: [string, ...string[]]): Promise<unknown> {
  try {
    // In this order: an ioredis client has a method `sendCommand`, too, of another kind.
    if ('call' in client) return await client.call(...command)
    return await ('sendCommand' in client ? client.sendCommand(command) : client.exec(command))
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

function checkClient(client: RedisClient): RedisClient {
  const isClient = ['call', 'sendCommand', 'exec'].some((method) => method in client)
  const isPrefixed = 'options' in client && client.options?.keyPrefix
  if (isClient && !('masters' in client) && !isPrefixed) return client
  throw new TypeError(
    'RedisStore takes a client of node-redis, ioredis (or its Cluster) or @upstash/redis, without keyPrefix.',
  )
}

/** How the text of a record with this version begins, and of no other. */
function beginning(version: string): string {
  return `{"version":${JSON.stringify(version)}`
}

/** A record as the script takes it: how its text begins, the text, and how long it is to be kept. */
function written({ version, expiry, owner, body }: SessionRecord): string[] {
  const values = [beginning(version), JSON.stringify({ version, expiry, owner, body })]
  // In milliseconds from now: the server's clock may be another.
  if (expiry !== null) values.push('PX', String(Math.max(1, Math.ceil(expiry - Date.now()))))
  return values
}

/** A text, or what an HTTP client has made of it. */
function parse(reply: unknown): SessionRecord | undefined {
  try {
    const record: unknown = typeof reply === 'string' ? JSON.parse(reply) : reply
    return typeof record === 'object' && record !== null ? (record as SessionRecord) : undefined
  } catch {
    return undefined
  }
}
