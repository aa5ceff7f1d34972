/**
 * @module isolate-session/mongodb
 */
import { checkOptions } from '../options/check-options.ts'
import type { SessionRecord } from '../session/session-record.ts'
import { IndexedStore, type KeyedStoreOptions } from '../storage/keyed-store.ts'
import { answerNotUnderstood, atLeastOne, checkClient, type Lookalike } from './shared/client.ts'
import { driverAdvice } from './shared/driver-error.ts'
import {
  acknowledged,
  equal,
  hiding,
  isLive,
  toDocument,
  toRecord,
} from './shared/mongodb-document.ts'

export type { IndexedStore, KeyedStoreOptions } from '../storage/keyed-store.ts'

/** The subset of a `mongodb` `Collection` that `MongoDBStore` uses. */
export interface MongoDBCollection {
  /** Database and collection. */
  readonly namespace?: string
  /** As `Collection.findOne`. */
  findOne(filter: object, options?: object): Promise<unknown>
  /** As `Collection.find`. */
  find(filter: object, options?: object): { toArray(): Promise<unknown[]> }
  /** As `Collection.insertOne`. */
  insertOne(document: object, options?: object): Promise<unknown>
  /** As `Collection.replaceOne`. */
  replaceOne(filter: object, document: object, options?: object): Promise<{ matchedCount: number }>
  /** As `Collection.deleteOne`. */
  deleteOne(filter: object, options?: object): Promise<{ deletedCount: number }>
  /** As `Collection.deleteMany`. */
  deleteMany(filter: object, options?: object): Promise<{ deletedCount: number }>
  /** As `Collection.countDocuments`. */
  countDocuments(filter?: object, options?: object): Promise<number>
  /** As `Collection.createIndex`. */
  createIndex(keys: Record<string, 1>, options?: object): Promise<string>
}

/** The options of `MongoDBStore`. */
export type MongoDBStoreOptions = KeyedStoreOptions

// https://www.mongodb.com/docs/manual/reference/error-codes/
const DUPLICATE_KEY = 11000
const AUTHENTICATION_FAILED = 18
const UNAUTHORIZED = 13

/** Byte for byte, whatever the collection's own collation says. */
const BY_BYTES = { collation: { locale: 'simple' } }

/** Plain values, whatever the client's own options say. */
const PLAIN = {
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  bsonRegExp: false,
  fieldsAsRaw: {},
}

const WRITE = { ...PLAIN, ...BY_BYTES }
/** A secondary may not have the last write yet. */
const READ = { ...WRITE, readPreference: 'primary' }

const LOOKALIKES: readonly Lookalike[] = [
  {
    matches: ({ db }) => typeof db === 'function',
    advice: "for a MongoClient pass `client.db().collection('sessions')`.",
  },
  {
    matches: ({ collection }) => typeof collection === 'function',
    advice: "for a Db pass `db.collection('sessions')`.",
  },
  {
    matches: ({ schema, collection }) => Boolean(schema && collection),
    advice: 'for a Mongoose model pass `Model.collection`.',
  },
]

/**
 * Sessions in one MongoDB collection, a document each, under the session's id as `_id`. Every operation is one on one
 * document. An update never inserts.
 *
 * The collection is yours. In a Worker connect for each request, in `store: (c) => …`, which is not called for a request that
 * needs no session. Leave the write concern at MongoDB's default, `majority`: a write that is rolled back after an election
 * would bring back a session that has ended.
 *
 * Call `migrate()` once. Its TTL index lets MongoDB remove expired sessions, about once a minute; none of them is loaded
 * meanwhile.
 *
 * @throws TypeError for what is no `Collection`.
 */
export class MongoDBStore extends IndexedStore {
  readonly #collection: MongoDBCollection

  /**
   * Sessions in one collection, whose indexes `migrate()` creates.
   *
   * @throws TypeError for what is no `Collection`.
   */
  constructor(collection: MongoDBCollection, options?: MongoDBStoreOptions) {
    super(checkOptions('MongoDBStore', options))
    checkClient(
      collection,
      'MongoDBStore takes a Collection of `mongodb`',
      ({ findOne }) => typeof findOne === 'function',
      LOOKALIKES,
    )
    this.#collection = collection
  }

  /** @inheritDoc */
  override get cacheName(): string | undefined {
    const { namespace } = this.#collection
    return namespace && `mongodb ${namespace}`
  }

  /** Creates the TTL index and the one for owners if they do not exist. */
  async migrate(): Promise<void> {
    await this.ask('make its indexes', async () => {
      await this.#collection.createIndex({ expiry: 1 }, { expireAfterSeconds: 0, ...BY_BYTES })
      const isOwned = { owner: { $type: 'string' } }
      const options = { partialFilterExpression: isOwned, ...BY_BYTES }
      await this.#collection.createIndex({ owner: 1 }, options)
    })
  }

  /** The number of sessions, including expired ones that MongoDB has not removed yet. */
  async count(): Promise<number> {
    // An empty body is what a rotation leaves of the old session, until MongoDB removes it.
    const isSession = { body: { $ne: '' } }
    return this.ask('count its sessions', async () => {
      const n = await this.#collection.countDocuments(isSession, WRITE)
      atLeastOne(n)
      return n
    })
  }

  /** @inheritDoc */
  protected async read(id: string): Promise<SessionRecord | undefined> {
    const document = await hiding(this.#collection.findOne(equal({ _id: id }), READ), id)
    if (document === null) return undefined
    const [found, record] = toRecord(document)
    if (found === id) return record
    throw answerNotUnderstood('a document that was not asked for')
  }

  /** @inheritDoc */
  protected async insert(id: string, record: SessionRecord): Promise<boolean> {
    try {
      const inserted = this.#collection.insertOne(toDocument(id, record), PLAIN)
      acknowledged(await hiding(inserted, id, record))
      return true
    } catch (error) {
      if (codeOf(error) === DUPLICATE_KEY && isPrimary(error)) return false
      throw error
    }
  }

  /** @inheritDoc */
  protected async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    const filter = { ...equal({ _id: id, version }), ...isLive() }
    const replaced = this.#collection.replaceOne(filter, toDocument(id, record), WRITE)
    return atLeastOne(acknowledged(await hiding(replaced, id, record, version)).matchedCount)
  }

  /** @inheritDoc */
  protected async remove(id: string, version?: string): Promise<boolean> {
    const filter = equal(version === undefined ? { _id: id } : { _id: id, version })
    const deleted = this.#collection.deleteOne(filter, WRITE)
    return atLeastOne(acknowledged(await hiding(deleted, id)).deletedCount)
  }

  /** @inheritDoc */
  protected override async removeOwned(owner: string, except = ''): Promise<number> {
    const filter = { ...equal({ owner }), ...isLive(), _id: { $ne: except } }
    const deleted = this.#collection.deleteMany(filter, WRITE)
    const { deletedCount } = acknowledged(await hiding(deleted, owner))
    atLeastOne(deletedCount)
    return deletedCount
  }

  /** @inheritDoc */
  protected async removeAll(): Promise<void> {
    atLeastOne(acknowledged(await this.#collection.deleteMany({}, WRITE)).deletedCount)
  }

  /** @inheritDoc */
  protected override async recordsOf(
    owner: string,
  ): Promise<[id: string, record: SessionRecord][]> {
    const found = this.#collection.find({ ...equal({ owner }), ...isLive() }, READ)
    const documents = await hiding(found.toArray(), owner)
    return documents.map(toRecord)
  }

  /** @inheritDoc */
  protected override advice(error: unknown): string | undefined {
    const code = codeOf(error)
    return driverAdvice(error, code === AUTHENTICATION_FAILED || code === UNAUTHORIZED)
  }
}

function codeOf(error: unknown): number {
  // Without promoteValues the code is an object.
  return Number((error as { code?: unknown } | null)?.code)
}

/** Is it the id that is taken, and not a value of a unique index of the user's own? */
function isPrimary(error: unknown): boolean {
  const { keyPattern } = error as { keyPattern?: object }
  return keyPattern === undefined ? /\b_id_?\b|E11000$/.test(String(error)) : '_id' in keyPattern
}
