import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis as HttpRedis } from '@upstash/redis'
import { Cluster, Redis as IORedis } from 'ioredis'
import {
  createClient,
  createClientPool,
  createCluster,
  createSentinel,
  RESP_TYPES,
  type RedisClientType,
} from 'redis'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { Session } from '../../src/index.ts'
import { type RedisClient, RedisStore } from '../../src/stores/redis.ts'
import { storeContract } from '../../src/testing.ts'
import { httpStory } from '../support/http-story.ts'
import { storyApp } from '../support/story-app.ts'
import { openHttpBridge } from './support/http-bridge.ts'
import { findProgram, freePort, PASSWORD, ready, startServer } from './support/servers.ts'
import { separately } from './support/together.ts'

const url = inject('servers').redis ?? ''
const closing: (() => Promise<unknown> | unknown)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

type Open = () => Promise<{ client: RedisClient; close: () => unknown }>

const openNodeRedis: Open = async () => {
  const client = createClient({ url })
  client.on('error', () => {})
  await client.connect()
  return { client, close: () => client.close() }
}

const CLIENTS: Record<string, Open> = {
  'node-redis': openNodeRedis,
  'a pool of node-redis': async () => {
    const pool = createClientPool({ url })
    pool.on('error', () => {})
    await pool.connect()
    return { client: pool, close: () => pool.close() }
  },
  ioredis: async () => {
    const client = new IORedis(url)
    return { client, close: () => client.quit() }
  },
  '@upstash/redis': () => openHttp(true),
  '@upstash/redis that parses nothing': () => openHttp(false),
}

async function openHttp(automaticDeserialization: boolean): ReturnType<Open> {
  const bridge = await openHttpBridge(url)
  const options = { url: bridge.url, token: 'none', automaticDeserialization }
  const client = new HttpRedis({ ...options, responseEncoding: false, retry: false })
  return { client, close: bridge.close }
}

/** Three servers that share the slots between them. */
async function startCluster(): Promise<{ ports: number[]; stop: () => Promise<unknown> }> {
  const start = (): ReturnType<typeof startServer> =>
    startServer('redis', ['--cluster-enabled', 'yes'])
  const servers = (await Promise.all([start(), start(), start()])).filter(
    (each) => each !== undefined,
  )
  const nodes = servers.map(({ port }) => `127.0.0.1:${port}`)
  const create = ['-a', PASSWORD, '--cluster', 'create', ...nodes, '--cluster-yes']
  const { status, stdout } = spawnSync('redis-cli', create, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stdout)
  return {
    ports: servers.map(({ port }) => port),
    stop: () => Promise.all(servers.map((server) => server.dispose())),
  }
}

/** A server, and a Sentinel that knows where it is. */
async function startSentinel(): Promise<{ port: number; stop: () => Promise<unknown> }> {
  const server = (await startServer('redis')) ?? expect.fail()
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'sentinel-'))
  const config = join(directory, 'sentinel.conf')
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor main 127.0.0.1 ${server.port} 1`,
    `sentinel auth-pass main ${PASSWORD}`,
  ]
  writeFileSync(config, lines.join('\n'))
  const child = spawn(findProgram('redis-server'), [config, '--sentinel'], { stdio: 'ignore' })
  const ping = async (): Promise<void> => {
    const client = new IORedis({ port, host: '127.0.0.1', retryStrategy: () => null })
    client.on('error', () => {})
    await client.ping().finally(() => client.disconnect())
  }
  await ready(ping, child)
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await server.dispose()
    rmSync(directory, { recursive: true, force: true })
  }
  return { port, stop }
}

async function issue(store: RedisStore, change?: (session: Session) => void): Promise<string> {
  const session = new Session()
  change?.(session)
  return (await store.storeSession(session)) ?? expect.fail('no value')
}

let prefixes = 0
const newPrefix = (): string => `test:${process.pid}:${prefixes++}:`

describe.skipIf(url === '')('RedisStore', () => {
  for (const [name, open] of Object.entries(CLIENTS)) {
    describe(`through ${name}`, () => {
      let client: RedisClient
      beforeAll(async () => {
        const opened = await open()
        client = opened.client
        closing.push(opened.close)
      })
      const newStore = (): RedisStore => new RedisStore(client, { prefix: newPrefix() })

      storeContract('contract', newStore, { test })
      httpStory('story', () => {
        const app = storyApp({ store: newStore() })
        return (path, init) => app.request(path, init)
      })
      test('sends the text of a script once, and its hash from then on', async () => {
        await admin.sendCommand(['SCRIPT', 'FLUSH'])
        const store = newStore()
        const session = (await store.loadSession(await issue(store))) ?? expect.fail()
        session.set('n', 1)
        await store.storeSession(session)
        const before = await calls('eval')
        for (let n = 0; n < 5; n++) {
          session.set('n', n)
          await store.storeSession(session)
        }
        expect((await calls('eval')) - before).toBe(0)
      })
    })
  }

  for (const name of ['node-redis', 'ioredis']) {
    separately(`RedisStore through ${name}`, async () => {
      const { client, close } = (await CLIENTS[name]?.()) ?? expect.fail()
      const store = new RedisStore(client, { prefix: `separately:${process.pid}:${name}:` })
      return { store, close: async () => close() }
    })
  }

  describe('on a cluster, through ioredis', () => {
    let cluster: Cluster
    beforeAll(async () => {
      const { ports, stop } = await startCluster()
      closing.push(stop)
      const nodes = ports.map((port) => ({ host: '127.0.0.1', port }))
      cluster = new Cluster(nodes, { redisOptions: { password: PASSWORD } })
      closing.push(() => cluster.quit())
      await vi.waitFor(
        async () => {
          for (const node of cluster.nodes('master'))
            expect(await node.cluster('INFO')).toContain('cluster_state:ok')
        },
        { timeout: 30_000 },
      )
    })
    const newStore = (): RedisStore => new RedisStore(cluster, { prefix: newPrefix() })

    storeContract('contract', newStore, { test })
    httpStory('story', () => {
      const app = storyApp({ store: newStore() })
      return (path, init) => app.request(path, init)
    })

    test('sessions are on every node, counted and cleared', async () => {
      const store = newStore()
      for (let n = 0; n < 60; n++) await issue(store, (session) => session.signIn('ada'))
      const sizes = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()))
      expect(Math.min(...sizes)).toBeGreaterThan(0)
      expect(await store.count()).toBe(60)
      expect(await store.destroySessionsOf('ada')).toBe(60)
      await issue(store)
      await store.clearStore()
      expect(await store.count()).toBe(0)
    })
  })

  describe('through Sentinel, with ioredis', () => {
    let port = 0
    beforeAll(async () => {
      const sentinel = await startSentinel()
      closing.push(sentinel.stop)
      port = sentinel.port
    })
    separately('T7 RedisStore', async () => {
      const client = new IORedis({
        sentinels: [{ host: '127.0.0.1', port }],
        name: 'main',
        password: PASSWORD,
      })
      const store = new RedisStore(client, { prefix: 'sentinel:' })
      return { store, close: () => client.quit() }
    })
  })

  const admin: RedisClientType = createClient({ url })
  beforeAll(async () => {
    admin.on('error', () => {})
    await admin.connect()
    closing.push(() => admin.close())
  })

  /** How often the server was given a command. */
  async function calls(command: string): Promise<number> {
    const stats = await admin.info('commandstats')
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  }

  test('a key is as the documentation says, and goes when the session does', async () => {
    const prefix = newPrefix()
    const store = new RedisStore(admin, { prefix })
    const value = await issue(store, (session) => {
      session.signIn('Ada Löveläce')
      session.set('text', 'naïve 😀 \0 \ud800')
      session.expireIn(3600)
    })
    const session = (await store.loadSession(value)) ?? expect.fail()
    expect(session.get('text')).toBe('naïve 😀 \0 \ud800')
    const key = prefix + session.id
    expect(JSON.parse((await admin.get(key)) ?? '')).toEqual({
      version: expect.stringMatching(/^[\w-]{16}\.\d+$/),
      expiry: session.expiry?.getTime(),
      owner: 'Ada Löveläce',
      body: expect.any(String),
    })
    const ends = session.expiry?.getTime() ?? 0
    expect(Math.abs((await admin.pExpireTime(key)) - ends)).toBeLessThan(1000)
    const index = `${prefix} owner Ada Löveläce`
    expect(await admin.zRangeWithScores(index, 0, -1)).toEqual([{ value: session.id, score: ends }])
    expect(await admin.ttl(index)).toBe(-1)
  })

  test('less than a second to live is less than a second', async () => {
    const prefix = newPrefix()
    const store = new RedisStore(admin, { prefix })
    const value = await issue(store, (session) => session.expireIn(0.3))
    const [key = ''] = await admin.keys(`${prefix}*`)
    expect(await admin.pTTL(key)).toBeLessThanOrEqual(300)
    await expect.poll(() => admin.exists(key), { interval: 10 }).toBe(0)
    expect(await store.loadSession(value)).toBeUndefined()
  })

  test('a session without an end has no time to live, nor has its owner’s index', async () => {
    const prefix = newPrefix()
    const store = new RedisStore(admin, { prefix })
    await issue(store, (session) => session.signIn('ada'))
    const keys = await admin.keys(`${prefix}*`)
    expect(await Promise.all(keys.map((key) => admin.ttl(key)))).toEqual([-1, -1])
  })

  test('O1 the index has no time to live, which would let it be evicted, and forgets those that ended long ago', async () => {
    const prefix = newPrefix()
    const store = new RedisStore(admin, { prefix })
    const index = `${prefix} owner ada`
    // As the first edition has left it.
    await admin.zAdd(index, [{ value: 'A'.repeat(43), score: Date.now() - 3_601_000 }])
    await admin.zAdd(index, [{ value: 'B'.repeat(43), score: Date.now() - 1 }])
    await admin.expire(index, 60)
    await issue(store, (session) => {
      session.signIn('ada')
      session.expireIn(3600)
    })
    expect(await admin.ttl(index)).toBe(-1)
    expect(await admin.zScore(index, 'A'.repeat(43))).toBeNull()
    // Clocks differ: it may still live by another's.
    expect(await admin.zScore(index, 'B'.repeat(43))).not.toBeNull()
    expect(await store.sessionsOf('ada')).toHaveLength(1)
    expect(await admin.zCard(index)).toBe(1)
  })

  test('O1 cleanup() forgets the sessions of owners who never came back, and nothing else', async () => {
    const prefix = newPrefix()
    const store = new RedisStore(admin, { prefix })
    const value = await issue(store, (session) => session.signIn('ada'))
    for (const owner of ['bob', 'cyd']) {
      await admin.zAdd(`${prefix} owner ${owner}`, [{ value: 'x', score: Date.now() - 3_601_000 }])
    }
    expect(await store.cleanup()).toBe(2)
    expect((await admin.keys(`${prefix} owner *`)).map((key) => key.slice(-3))).toEqual(['ada'])
    expect(await store.loadSession(value)).toBeDefined()
    expect(await store.cleanup()).toBe(0)
  })

  test('O1 an extension moves the entry first: a failure between the two leaves no session that the index does not know', async () => {
    const prefix = newPrefix()
    const sent: string[] = []
    let failing: number | undefined
    const client: RedisClient = {
      sendCommand: async (command: string[]) => {
        sent.push(command[0]?.startsWith('EVAL') ? 'script' : (command[0] ?? ''))
        if (failing !== undefined && failing-- === 0) throw new Error('lost')
        return admin.sendCommand(command)
      },
    }
    const store = new RedisStore(client, { prefix })
    const value = await issue(store, (session) => {
      session.signIn('ada')
      session.expireIn(60)
    })
    const session = (await store.loadSession(value)) ?? expect.fail()
    const index = `${prefix} owner ada`
    const before = await admin.zScore(index, session.id ?? '')
    for (const step of [0, 1]) {
      failing = step
      session.expireIn(7200)
      await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'STORE_FAILED' })
      const [score, ttl] = [
        await admin.zScore(index, session.id ?? ''),
        await admin.ttl(prefix + session.id),
      ]
      expect(score === before).toBe(step === 0)
      expect(ttl).toBeLessThanOrEqual(60)
    }
    failing = undefined
    await store.storeSession(session)
    expect(await admin.zScore(index, session.id ?? '')).toBeGreaterThanOrEqual(
      session.expiry?.getTime() ?? 0,
    )
    sent.length = 0
    session.set('n', 1)
    await store.storeSession(session)
    expect(sent).toEqual(['script'])
  })

  describe('a user with limited rights', () => {
    const [, rights = ''] =
      /limited rights needs `([^`]+)`/.exec(readFileSync('docs/servers.md', 'utf8')) ?? []
    const commands = rights.split(' ')

    async function limited(prefix: string, without?: string): Promise<RedisStore> {
      const user = `user_${crypto.randomUUID()}`
      const given = commands.filter((command) => command !== without)
      await admin.sendCommand(['ACL', 'SETUSER', user, 'on', '>one', `~${prefix}*`, ...given])
      closing.push(() => admin.sendCommand(['ACL', 'DELUSER', user]))
      const { port } = new URL(url)
      const client = new IORedis({
        port: Number(port),
        username: user,
        password: 'one',
        enableReadyCheck: false,
      })
      closing.push(() => client.quit())
      return new RedisStore(client, { prefix })
    }

    test('needs those that the documentation lists', async () => {
      const store = await limited(newPrefix())
      const value = await issue(store, (session) => session.signIn('ada'))
      const session = (await store.loadSession(value)) ?? expect.fail()
      session.regenerate()
      await store.storeSession(session)
      expect(await store.sessionsOf('ada')).toHaveLength(1)
      expect(await store.destroySessionsOf('ada')).toBe(1)
      expect([await store.count(), await store.cleanup()]).toEqual([0, 0])
      await issue(store)
      await store.clearStore()
    })

    test.each(commands)('is told what to do without %s', async (command) => {
      const store = await limited(newPrefix(), command)
      const failing = (async () => {
        await admin.sendCommand(['SCRIPT', 'FLUSH'])
        const value = await issue(store, (session) => session.signIn('ada'))
        const session = (await store.loadSession(value)) ?? expect.fail()
        session.set('n', 1)
        await store.storeSession(session)
        await store.sessionsOf('ada')
        await store.destroySession(session)
        await store.cleanup()
        await issue(store, (each) => each.signIn('ada'))
        await store.cleanup()
        await store.count()
        await store.clearStore()
      })()
      await expect(failing).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining('Give it the commands that docs/servers.md lists'),
      })
    })
  })

  test('T15 a session that is over before its entry is written is no error', async () => {
    const prefix = newPrefix()
    const client: RedisClient = {
      sendCommand: async (command: string[]) => {
        const reply = await admin.sendCommand(command)
        if (command[0] === 'SET') await new Promise((resolve) => setTimeout(resolve, 60))
        return reply
      },
    }
    const store = new RedisStore(client, { prefix })
    const value = await issue(store, (session) => {
      session.signIn('ada')
      session.expireIn(0.05)
    })
    expect(await store.loadSession(value)).toBeUndefined()
    expect(await store.sessionsOf('ada')).toEqual([])
    expect(await admin.exists(`${prefix} owner ada`)).toBe(0)
  })

  test('T15 a session may end in the year 275760', async () => {
    const prefix = newPrefix()
    const store = new RedisStore(admin, { prefix })
    const value = await issue(store, (session) => {
      session.signIn('ada')
      session.setExpiry(new Date(8.64e15))
    })
    expect((await store.loadSession(value))?.expiry?.getTime()).toBe(8.64e15)
    expect(await store.sessionsOf('ada')).toHaveLength(1)
  })

  test('O1 an owner with a thousand sessions is listed and signed out in batches', async () => {
    const prefix = newPrefix()
    const plain = new RedisStore(admin, { prefix })
    const sessions = await Promise.all(
      Array.from({ length: 1000 }, () => issue(plain, (session) => session.signIn('ada'))),
    )
    let underWay = 0
    let most = 0
    const client: RedisClient = {
      sendCommand: async (command: string[]) => {
        most = Math.max(most, ++underWay)
        expect(command.length).toBeLessThanOrEqual(130)
        return admin.sendCommand(command).finally(() => underWay--)
      },
    }
    const store = new RedisStore(client, { prefix })
    expect(await store.sessionsOf('ada')).toHaveLength(1000)
    const except = (await store.loadSession(sessions[3] ?? '')) ?? expect.fail()
    expect(await store.destroySessionsOf('ada', { except })).toBe(999)
    expect(most).toBe(128)
    expect(await store.count()).toBe(1)
  })

  test('signing out takes the entry out of the index; one that is left over goes with the next listing', async () => {
    const prefix = newPrefix()
    const store = new RedisStore(admin, { prefix })
    const value = await issue(store, (session) => session.signIn('ada'))
    const other = await issue(store, (session) => session.signIn('ada'))
    await store.destroySession((await store.loadSession(value)) ?? expect.fail())
    expect(await admin.zCard(`${prefix} owner ada`)).toBe(1)
    const { id } = (await store.loadSession(other)) ?? expect.fail()
    await admin.del(prefix + id)
    expect(await store.sessionsOf('ada')).toEqual([])
    expect(await admin.exists(`${prefix} owner ada`)).toBe(0)
  })

  test('count() leaves out what a rotation has left', async () => {
    const store = new RedisStore(admin, { prefix: newPrefix() })
    const session = (await store.loadSession(await issue(store))) ?? expect.fail()
    session.regenerate()
    await store.storeSession(session)
    expect(await store.count()).toBe(1)
  })

  test('a call that is made again because its reply was lost has done it once', async () => {
    const prefix = newPrefix()
    const twice: RedisClient = {
      sendCommand: async (command: string[]) => {
        if (command[0]?.startsWith('EVAL')) await admin.sendCommand(command)
        return admin.sendCommand(command)
      },
    }
    const store = new RedisStore(twice, { prefix })
    const value = await issue(store, (session) => {
      session.signIn('ada')
      session.expireIn(60)
    })
    expect(await store.sessionsOf('ada')).toHaveLength(1)
    const session = (await store.loadSession(value)) ?? expect.fail()
    session.set('n', 1)
    session.expireIn(7200)
    await store.storeSession(session)
    const [summary] = await store.sessionsOf('ada')
    expect(await admin.zScore(`${prefix} owner ada`, session.id ?? '')).toBe(
      summary?.expiry?.getTime(),
    )
    expect((await store.loadSession(value))?.get('n')).toBe(1)
  })

  test('clearStore() and count() see what the prefix begins, exactly, whatever is in it', async () => {
    const start = newPrefix()
    const prefixes = [`${start}*`, `${start}**`, `${start}[a]`, `${start}a`, `${start}?`, start]
    const stores = prefixes.map((prefix) => new RedisStore(admin, { prefix }))
    for (const store of stores) await issue(store, (session) => session.signIn('ada'))
    await admin.set(`${start}something else`, 'kept')
    for (const store of stores) expect(await store.count()).toBe(1)
    for (const [i, store] of stores.entries()) {
      await store.clearStore()
      const left = await Promise.all(stores.map((each) => each.count()))
      expect(left.reduce((sum, n) => sum + n)).toBe(stores.length - i - 1)
      expect(await store.sessionsOf('ada')).toEqual([])
    }
    expect(await admin.keys(`${start}*`)).toEqual([`${start}something else`])
  })

  test('no KEYS and no FLUSHDB is ever sent', async () => {
    const before = [await calls('flushdb'), await calls('flushall')]
    const sent: string[] = []
    const watched: RedisClient = {
      sendCommand: (command: string[]) => {
        sent.push(command[0] ?? '')
        return admin.sendCommand(command)
      },
    }
    const store = new RedisStore(watched, { prefix: newPrefix() })
    for (let n = 0; n < 1500; n++) await issue(store)
    expect(await store.count()).toBe(1500)
    await store.clearStore()
    expect(await store.count()).toBe(0)
    expect([...new Set(sent)].sort()).toEqual(['GETRANGE', 'SCAN', 'SET', 'UNLINK'])
    expect([await calls('flushdb'), await calls('flushall')]).toEqual(before)
  })

  test('an error holds nothing of what was sent', async () => {
    for (const open of Object.values(CLIENTS)) {
      const { client, close } = await open()
      const prefix = newPrefix()
      const store = new RedisStore(client, { prefix })
      const value = await issue(store, (session) => session.set('secret', 'a-secret-of-hers'))
      const session = (await store.loadSession(value)) ?? expect.fail()
      await admin.del(prefix + session.id)
      await admin.hSet(prefix + session.id, 'not', 'a text')
      session.set('secret', 'another-secret-of-hers')
      const error = await store.storeSession(session).catch((error: unknown) => error)
      const { inspect } = await import('node:util')
      expect(error).toMatchObject({ code: 'STORE_FAILED', cause: expect.any(Error) })
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret-of-hers')
      await close()
    }
  })

  describe('T10 a client', () => {
    const never = (): never => expect.fail('nothing is sent')
    const lazy = createClient({ url })
    const LOOKALIKES: Record<string, [unknown, RegExp]> = {
      'an object of no use': [{}, /node-redis, of ioredis/],
      nothing: [undefined, /got undefined/],
      'a URL': ['redis://a:secret@host', /make a client/],
      'a promise': [Promise.resolve(lazy), /await it first/],
      'a cluster of node-redis': [createCluster({ rootNodes: [{ url }] }), /`Cluster` of ioredis/],
      'Sentinel of node-redis': [
        createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] }),
        /sentinels.*ioredis/,
      ],
      'a client with callbacks': [lazy.legacy(), /not `client\.legacy\(\)`/],
      'a transaction of node-redis': [lazy.multi(), /not a transaction/],
      'a pipeline of ioredis': [new IORedis({ lazyConnect: true }).pipeline(), /not a transaction/],
      'a client of ioredis with keyPrefix': [
        new IORedis({ keyPrefix: 'x:', lazyConnect: true }),
        /without keyPrefix/,
      ],
    }
    test.each(Object.keys(LOOKALIKES))('is not %s', (name) => {
      const [client, message] = LOOKALIKES[name] ?? expect.fail()
      expect(() => new RedisStore(client as RedisClient)).toThrow(TypeError)
      expect(() => new RedisStore(client as RedisClient)).toThrow(message)
      expect(() => new RedisStore(client as RedisClient)).not.toThrow(/secret/)
    })

    test.each(['with space', 'é', 'x'.repeat(129)])('has no prefix %j', (prefix) => {
      expect(() => new RedisStore({ sendCommand: never }, { prefix })).toThrow(TypeError)
    })

    const MAPPED: Record<string, () => Promise<RedisClient>> = {
      'bytes for text': async () =>
        admin.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }) as unknown as RedisClient,
      'text for numbers': async () =>
        admin.withTypeMapping({ [RESP_TYPES.NUMBER]: String }) as unknown as RedisClient,
      'text for numbers, in ioredis': async () => {
        const client = new IORedis(url, { stringNumbers: true })
        closing.push(() => client.quit())
        return client
      },
    }
    test.each(Object.keys(MAPPED))('works that was told to give %s', async (name) => {
      const store = new RedisStore((await MAPPED[name]?.()) ?? expect.fail(), {
        prefix: newPrefix(),
      })
      const value = await issue(store, (session) => session.signIn('ada'))
      const session = (await store.loadSession(value)) ?? expect.fail()
      session.set('n', 1)
      await store.storeSession(session)
      expect((await store.loadSession(value))?.get('n')).toBe(1)
      expect(await store.sessionsOf('ada')).toHaveLength(1)
      expect(await store.count()).toBe(1)
      expect(await store.destroySessionsOf('ada')).toBe(1)
    })

    test.each([
      ['nothing', () => undefined],
      ['bytes', () => Buffer.from('{}')],
      ['a list', () => []],
      ['a pair', () => [null, '{}']],
      ['a number', () => 7],
      ['an object of its own', () => new Map()],
    ])('that answers with %s is STORE_FAILED, never nobody', async (what, answer) => {
      const value = await issue(new RedisStore(admin, { prefix: newPrefix() }))
      const odd: RedisClient = { sendCommand: async () => answer() }
      const store = new RedisStore(odd)
      const failed = {
        code: 'STORE_FAILED',
        message: expect.stringContaining('Remove its options that change results'),
      }
      await expect(store.loadSession(value)).rejects.toMatchObject(failed)
      await expect(store.storeSession(new Session())).rejects.toMatchObject(failed)
      const isList = what === 'a list' // of nobody's sessions
      if (!isList) await expect(store.sessionsOf('ada')).rejects.toMatchObject(failed)
    })
  })
})
