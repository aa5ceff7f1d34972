/**
 * @module isolate-session/redis
 */
import { isValueShaped, utf8 } from '../crypto.js'
import { driverAdvice, LOGIN_REFUSED, withoutValues } from '../driver-error.js'
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

// Each script reads and writes one key, so that it runs on a cluster, too. Every record is a text that begins with its version
// and tells its expiry before anything else: `{"version":"…","expiry":…`.

/** Writes if the key is free. A call that is made again because its reply was lost finds its own version. */
const INSERT = script(`
local set = ARGV[3] == '' and redis.call('SET', KEYS[1], ARGV[1], 'NX')
  or ARGV[3] ~= '' and redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[3])
if set then return 1 end
return redis.call('GETRANGE', KEYS[1], 0, #ARGV[2] - 1) == ARGV[2] and 1 or 0`)

/** Writes if the version is that one. 0: it is not; 1: done; 2: done, and the expiry has moved. */
const REPLACE = script(`
local old = redis.call('GET', KEYS[1]) or ''
if string.sub(old, 1, #ARGV[2]) == ARGV[2] then return 2 end
if string.sub(old, 1, #ARGV[4]) ~= ARGV[4] then return 0 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[1])
else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3]) end
return string.match(old, '"expiry":(%w+)') == string.match(ARGV[1], '"expiry":(%w+)') and 1 or 2`)

/** Removes if the version is that one, or whatever it is, and gives what was there. */
const REMOVE = script(`
local old = redis.call('GET', KEYS[1])
if not old or string.sub(old, 1, #ARGV[1]) ~= ARGV[1] then return false end
redis.call('DEL', KEYS[1])
return old`)

/** Notes one session of an owner, forgets those that have expired, and lives as long as the last one. */
const KEEP = script(`
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
if last == 'inf' then redis.call('PERSIST', KEYS[1])
else redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last - ARGV[3])) end`)

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
  constructor(client: RedisClient, { prefix = 'session:', ...options }: RedisStoreOptions = {}) {
    super(options)
    this.#client = checkClient(client)
    this.#prefix = checkPrefix(prefix)
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
    const inserted = await this.#run(INSERT, this.#prefix + id, ...written(record))
    if (inserted === 0) return false
    await this.#index(id, record)
    return true
  }

  protected async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    const values = [...written(record), beginning(version)]
    const outcome = await this.#run(REPLACE, this.#prefix + id, ...values)
    if (outcome === 2) await this.#index(id, record)
    return outcome !== 0
  }

  protected async remove(id: string, version?: string): Promise<boolean> {
    const expected = version === undefined ? '' : beginning(version)
    const removed = await this.#run(REMOVE, this.#prefix + id, expected)
    const owner = parse(removed)?.owner
    if (owner) await this.#send('ZREM', this.#ownerKey(owner), id)
    return removed !== null
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
    return /WRONGPASS|NOAUTH|NOPERM/.test(String(error)) ? LOGIN_REFUSED : driverAdvice(error)
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
      return await this.#send('EVALSHA', await hash(), '1', key, ...values)
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error
      return this.#send('EVAL', text, '1', key, ...values)
    }
  }
}

interface Script {
  readonly text: string
  /** What the server keeps it under. Made at the first use: nothing is computed when a module is loaded. */
  hash(): Promise<string>
}

function script(text: string): Script {
  let known: string | undefined
  return {
    text,
    hash: async () => {
      known ??= await sha1(text)
      return known
    },
  }
}

/** In hex, as Redis names scripts. It guards nothing. */
async function sha1(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', utf8(text)))
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function send(client: RedisClient, command: [string, ...string[]]): Promise<unknown> {
  try {
    // In this order: an ioredis client has a method `sendCommand`, too, of another kind.
    if ('call' in client) return await client.call(...command)
    return await ('sendCommand' in client ? client.sendCommand(command) : client.exec(command))
  } catch (error) {
    throw withoutValues(error)
  }
}

function checkClient(client: RedisClient): RedisClient {
  const isClient = ['call', 'sendCommand', 'exec'].some((method) => method in client)
  if (!isClient || 'masters' in client) {
    throw new TypeError(
      'RedisStore takes a client of node-redis, of ioredis (also its Cluster), or of @upstash/redis.',
    )
  }
  if ('options' in client && client.options?.keyPrefix) {
    throw new TypeError(
      'RedisStore: make the client without keyPrefix, and give the store a `prefix`.',
    )
  }
  return client
}

/** How the text of a record with this version begins, and of no other. */
function beginning(version: string): string {
  return `{"version":${JSON.stringify(version)}`
}

/** A record as the scripts take it: its text, how that begins, and how long it is to be kept, in milliseconds. */
function written({ version, expiry, owner, body }: SessionRecord): [string, string, string] {
  const text = JSON.stringify({ version, expiry, owner, body })
  const left = expiry === null ? '' : String(Math.max(1, Math.ceil(expiry - Date.now())))
  return [text, beginning(version), left]
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
