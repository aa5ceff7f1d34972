import { type Collection, MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Session } from '../../src/index.ts'
import { type MongoDBCollection, MongoDBStore } from '../../src/stores/mongodb.ts'
import { storeContract } from '../../src/testing.ts'
import { httpStory } from '../support/http-story.ts'
import { storyApp } from '../support/story-app.ts'
import { startMongoDBDouble } from './support/mongodb-double.ts'
import { separately } from './support/together.ts'

type Sessions = Collection<{ _id: string }>

const double = await startMongoDBDouble()
afterAll(() => double.close())

const BACKENDS: Record<string, string | undefined> = {
  'a double that is no MongoDB': double.url,
  'a server': inject('servers').mongodb,
}

for (const [backend, url = ''] of Object.entries(BACKENDS)) {
  describe.skipIf(url === '')(`MongoDBStore on ${backend}`, () => {
    const client = new MongoClient(url || 'mongodb://none')
    let collections = 0
    const newCollection = (): Sessions =>
      client.db().collection(`sessions_${process.pid}_${collections++}`)
    const newStore = async (collection = newCollection()): Promise<MongoDBStore> => {
      const store = new MongoDBStore(collection)
      await store.migrate()
      return store
    }
    const issue = async (
      store: MongoDBStore,
      change?: (session: Session) => void,
    ): Promise<string> => {
      const session = new Session()
      change?.(session)
      return (await store.storeSession(session)) ?? expect.fail('no value')
    }
    beforeAll(async () => {
      await client.connect()
    })
    afterAll(() => client.close())

    storeContract('contract', newStore, { test })
    httpStory('story', async () => {
      const app = storyApp({ store: await newStore() })
      return (path, init) => app.request(path, init)
    })
    separately('MongoDBStore', async () => {
      const own = new MongoClient(url)
      const store = new MongoDBStore(own.db().collection(`separately_${process.pid}`))
      return { store, close: () => own.close() }
    })

    test('a document is as the documentation says', async () => {
      const collection = newCollection()
      const store = await newStore(collection)
      const value = await issue(store, (session) => {
        session.signIn('ada')
        session.set('text', 'naïve 😀 \0 \ud800 $set')
        session.expireIn(3600)
      })
      const session = (await store.loadSession(value)) ?? expect.fail()
      expect(session.get('text')).toBe('naïve 😀 \0 \ud800 $set')
      expect(await collection.findOne()).toEqual({
        _id: session.id,
        version: expect.stringMatching(/^[\w-]{16}\.\d+$/),
        expiry: session.expiry,
        owner: 'ada',
        body: expect.any(String),
      })
    })

    test('a session without an end has no date that a TTL index would take', async () => {
      const collection = newCollection()
      await issue(await newStore(collection))
      expect(await collection.findOne()).toMatchObject({ expiry: null })
    })

    test('an update that finds nothing inserts nothing', async () => {
      const collection = newCollection()
      const store = await newStore(collection)
      const session = (await store.loadSession(await issue(store))) ?? expect.fail()
      await collection.deleteMany({})
      session.set('late', true)
      await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'SESSION_GONE' })
      expect(await store.count()).toBe(0)
    })

    test('a write that was decided before the session expired, but comes after, is refused', async () => {
      const collection = newCollection()
      const store = await newStore(collection)
      const value = await issue(store, (session) => session.expireIn(3600))
      const session = (await store.loadSession(value)) ?? expect.fail()
      const row = (await collection.findOne()) ?? expect.fail()
      await collection.replaceOne({ _id: row._id }, { ...row, expiry: new Date(1000) })
      session.set('late', true)
      await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'SESSION_GONE' })
    })

    test('T15 a session may last as long as a Date goes', async () => {
      const store = await newStore()
      for (const year of ['9999-12-31', '+275760-09-13']) {
        const value = await issue(store, (session) => session.setExpiry(new Date(year)))
        expect((await store.loadSession(value))?.expiry).toEqual(new Date(year))
      }
      expect(await store.count()).toBe(2)
    })

    test('count() leaves out what a rotation has left of a session', async () => {
      const collection = newCollection()
      const store = await newStore(collection)
      await issue(store)
      await issue(store)
      const one = (await collection.findOne()) ?? expect.fail()
      await collection.replaceOne({ _id: one._id }, { ...one, body: '', owner: null })
      expect(await store.count()).toBe(1)
    })

    test('every query compares byte by byte, and takes no value for an operator', async () => {
      const asked: Record<string, unknown[][]> = {}
      const collection = newCollection()
      const watched = new Proxy(collection, {
        get: (target, key: string) => {
          const method = Reflect.get(target, key)
          if (typeof method !== 'function') return method
          return (...args: unknown[]) => {
            asked[key] = [...(asked[key] ?? []), args]
            return method.apply(target, args)
          }
        },
      })
      const store = await newStore(watched)
      const session = new Session()
      session.signIn('ada')
      const value = (await store.storeSession(session)) ?? expect.fail()
      session.set('n', 1)
      await store.storeSession(session)
      await store.loadSession(value)
      await store.count()
      await store.destroySessionsOf('ada')
      await store.destroySession(session)
      await store.clearStore()
      const simple = expect.objectContaining({ collation: { locale: 'simple' } })
      const { insertOne: _, ...queries } = asked
      expect(Object.keys(queries).sort()).toEqual([
        'countDocuments',
        'createIndex',
        'deleteMany',
        'deleteOne',
        'find',
        'findOne',
        'replaceOne',
      ])
      for (const calls of Object.values(queries)) {
        for (const args of calls) expect(args.at(-1)).toEqual(simple)
      }
      expect(asked.find?.[0]?.[0]).toMatchObject({ owner: { $eq: 'ada' } })
      expect(asked.deleteMany?.[0]?.[0]).toMatchObject({ owner: { $eq: 'ada' }, _id: { $ne: '' } })
      expect(asked.findOne?.[0]?.[0]).toEqual({ _id: { $eq: session.id } })
      expect(asked.replaceOne?.[0]?.[0]).toMatchObject({
        _id: { $eq: session.id },
        version: { $eq: expect.any(String) },
      })
    })

    test('a collection that ignores case tells owners apart all the same', async () => {
      const name = `collated_${process.pid}`
      const collation = { locale: 'en', strength: 2 }
      const collection = await client.db().createCollection<{ _id: string }>(name, { collation })
      const store = await newStore(collection)
      for (const owner of ['ada', 'Ada']) await issue(store, (session) => session.signIn(owner))
      expect(await store.sessionsOf('ada')).toHaveLength(1)
      expect(await store.destroySessionsOf('ADA')).toBe(0)
      expect(await store.destroySessionsOf('Ada')).toBe(1)
      expect(await store.count()).toBe(1)
    })

    test('owners are told apart by every byte', async () => {
      const store = await newStore()
      const owners = ['ada', 'Ada', 'àda', 'ada ', '$gt', 'a.b']
      for (const owner of owners) await issue(store, (session) => session.signIn(owner))
      for (const owner of owners) expect(await store.sessionsOf(owner)).toHaveLength(1)
      expect(await store.count()).toBe(owners.length)
    })
  })
}

test.each([18, 13])('a login that MongoDB refuses with code %i is told as that', async (code) => {
  const refused = Object.assign(new Error('refused'), { code })
  const collection = { findOne: () => Promise.reject(refused) } as unknown as MongoDBCollection
  await expect(new MongoDBStore(collection).loadSession('A'.repeat(43))).rejects.toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringContaining('check user, password and rights'),
    cause: refused,
  })
})

describe.skipIf(BACKENDS['a server'] === undefined)('MongoDBStore on a server', () => {
  test('migrate() makes the TTL index and the one for owners, once', async () => {
    const client = new MongoClient(BACKENDS['a server'] ?? '')
    const collection = client.db().collection(`indexes_${process.pid}`)
    const store = new MongoDBStore(collection as never)
    await store.migrate()
    await store.migrate()
    const indexes = await collection.indexes()
    await client.close()
    const keys = indexes.map(({ key }) => Object.keys(key).join())
    expect(keys.sort()).toEqual(['_id', 'expiry', 'owner'])
    expect(indexes.find(({ key }) => key.expiry)).toMatchObject({ expireAfterSeconds: 0 })
  })
})
