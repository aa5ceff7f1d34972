/**
 * @module isolate-session/mongodb
 */
import { checkOptions } from '../check-options.js'
import { driverAdvice } from '../driver-error.js'
import { IndexedStore, type KeyedStoreOptions } from '../keyed-store.js'
import type { SessionRecord } from '../session-record.js'

/** What is called of a `mongodb` `Collection`. */
export interface MongoDBCollection {
  /** Database and collection. */
  readonly namespace?: string
  // biome-ignore-start lint/suspicious/noExplicitAny: the driver's own types for filters and documents stay its own
  findOne(filter: any, options?: any): Promise<any>
  find(filter: any, options?: any): { toArray(): Promise<any[]> }
  insertOne(document: any): Promise<unknown>
  replaceOne(filter: any, document: any): Promise<{ matchedCount: number }>
  deleteOne(filter: any): Promise<{ deletedCount: number }>
  deleteMany(filter: any): Promise<{ deletedCount: number }>
  countDocuments(filter?: any): Promise<number>
  createIndex(keys: any, options?: any): Promise<string>
  // biome-ignore-end lint/suspicious/noExplicitAny: as above
}

export type MongoDBStoreOptions = KeyedStoreOptions

/** A record as a document. The expiry is a date, because a TTL index looks at nothing else. */
interface SessionDocument extends Omit<SessionRecord, 'expiry'> {
  readonly _id: string
  readonly expiry: Date | null
}

// https://www.mongodb.com/docs/manual/reference/error-codes/
const DUPLICATE_KEY = 11000
const AUTHENTICATION_FAILED = 18
const UNAUTHORIZED = 13

/** A secondary may not have the last write yet. */
const FROM_PRIMARY = { readPreference: 'primary' }

/**
 * Sessions in one MongoDB collection, a document each, under the session's id as `_id`. Every verb is one operation on one
 * document. An update never inserts.
 *
 * The collection is yours. In a Worker connect for each request, in `store: (c) => …`, which is not called for a request that
 * needs no session. Leave the write concern at MongoDB's default, `majority`: a write that is rolled back after an election
 * would bring back a session that has ended.
 *
 * Call `migrate()` once. Its TTL index lets MongoDB remove expired sessions, about once a minute; none of them is loaded
 * meanwhile.
 */
export class MongoDBStore extends IndexedStore {
  readonly #collection: MongoDBCollection

  constructor(collection: MongoDBCollection, options?: MongoDBStoreOptions) {
    super(checkOptions('MongoDBStore', options))
    this.#collection = collection
  }

  override get cacheName(): string | undefined {
    const { namespace } = this.#collection
    return namespace && `mongodb ${namespace}`
  }

  /** Makes the TTL index and the one for owners, if they are not there. */
  async migrate(): Promise<void> {
    await this.ask('make its indexes', async () => {
      await this.#collection.createIndex({ expiry: 1 }, { expireAfterSeconds: 0 })
      const isOwned = { owner: { $type: 'string' } }
      await this.#collection.createIndex({ owner: 1 }, { partialFilterExpression: isOwned })
    })
  }

  /** How many sessions there are, expired ones that MongoDB has not removed yet included. */
  async count(): Promise<number> {
    return this.ask('count its sessions', () => this.#collection.countDocuments({}))
  }

  protected async read(id: string): Promise<SessionRecord | undefined> {
    const document: SessionDocument | null = await this.#collection.findOne(
      { _id: id },
      FROM_PRIMARY,
    )
    return document ? toRecord(document) : undefined
  }

  protected async insert(id: string, record: SessionRecord): Promise<boolean> {
    try {
      await this.#collection.insertOne(toDocument(id, record))
      return true
    } catch (error) {
      if (codeOf(error) === DUPLICATE_KEY) return false
      throw error
    }
  }

  protected async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    const isLive = [{ expiry: null }, { expiry: { $gt: new Date() } }]
    const filter = { _id: id, version, $or: isLive }
    const { matchedCount } = await this.#collection.replaceOne(filter, toDocument(id, record))
    return matchedCount === 1
  }

  protected async remove(id: string, version?: string): Promise<boolean> {
    const filter = version === undefined ? { _id: id } : { _id: id, version }
    return (await this.#collection.deleteOne(filter)).deletedCount === 1
  }

  protected async removeAll(): Promise<void> {
    await this.#collection.deleteMany({})
  }

  protected override async recordsOf(
    owner: string,
  ): Promise<[id: string, record: SessionRecord][]> {
    const documents = await this.#collection.find({ owner }, FROM_PRIMARY).toArray()
    return documents.map((document: SessionDocument) => [document._id, toRecord(document)])
  }

  protected override advice(error: unknown): string | undefined {
    return driverAdvice(error, [AUTHENTICATION_FAILED, UNAUTHORIZED].includes(codeOf(error)))
  }
}

function codeOf(error: unknown): number {
  return Number((error as { code?: unknown } | null)?.code)
}

function toDocument(id: string, { version, expiry, owner, body }: SessionRecord): SessionDocument {
  return { _id: id, version, expiry: expiry === null ? null : new Date(expiry), owner, body }
}

function toRecord({ version, expiry, owner, body }: SessionDocument): SessionRecord {
  return { version, expiry: expiry === null ? null : Number(expiry), owner, body }
}
