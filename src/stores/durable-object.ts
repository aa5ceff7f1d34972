/**
 * @module isolate-session/durable-object
 */
import { DurableObject } from 'cloudflare:workers'
import { checkOptions } from '../check-options.js'
import { SessionError } from '../errors.js'
import { IndexedStore, type KeyedStoreOptions } from '../keyed-store.js'
import { checkPrefix } from '../prefix.js'
import { isExpired, type SessionRecord } from '../session-record.js'

/** What is called of a `DurableObjectNamespace<SessionObject>`. */
export interface SessionNamespace {
  idFromName(name: string): unknown
  // biome-ignore lint/suspicious/noExplicitAny: the id is what idFromName gave
  get(id: any): SessionStub
}

/** What is called of a stub. Both ends may be of different versions during a deployment: names and shapes stay. */
export interface SessionStub {
  readRecord(): Promise<SessionRecord | undefined>
  insertRecord(record: SessionRecord): Promise<boolean>
  replaceRecord(record: SessionRecord, version: string): Promise<Outcome>
  removeRecord(version?: string): Promise<Outcome>
  keepSession(id: string, expiry: number | null): Promise<void>
  dropSessions(ids: string[]): Promise<void>
  listSessions(): Promise<string[]>
}

/** What a conditional step came to, and what the owner's index has to know of it. */
export interface Outcome {
  readonly done: boolean
  /** The owner of the record before. */
  readonly owner: string | null
  readonly expiryMoved: boolean
}

export interface DurableObjectStoreOptions extends KeyedStoreOptions {
  /** Begins the names of all objects of this store. Default `''`. */
  readonly prefix?: string
}

const RECORD = 'record'
const NOT_DONE: Outcome = { done: false, owner: null, expiryMoved: false }

/**
 * The Durable Object class behind `DurableObjectStore`. Your Worker exports it, and your configuration names it:
 *
 * @example
 * export { SessionObject } from 'isolate-session/durable-object'
 */
export class SessionObject extends DurableObject<unknown> {
  async readRecord(): Promise<SessionRecord | undefined> {
    return this.ctx.storage.get<SessionRecord>(RECORD)
  }

  // Between a read and a write of its own storage an object takes no other request, so each of these is one step.

  async insertRecord(record: SessionRecord): Promise<boolean> {
    const before = await this.readRecord()
    // Its own version: a call that is made again because its reply was lost.
    if (before) return before.version === record.version
    await this.ctx.storage.put(RECORD, record)
    await this.#wakeAt(record.expiry)
    return true
  }

  async replaceRecord(record: SessionRecord, version: string): Promise<Outcome> {
    const before = await this.readRecord()
    if (before?.version === record.version)
      return { done: true, owner: before.owner, expiryMoved: true }
    if (before?.version !== version || isExpired(before.expiry, Date.now())) return NOT_DONE
    const expiryMoved = before.expiry !== record.expiry
    await this.ctx.storage.put(RECORD, record)
    if (expiryMoved) await this.#wakeAt(record.expiry) // an alarm is a row written, and billed as one
    return { done: true, owner: before.owner, expiryMoved }
  }

  async removeRecord(version?: string): Promise<Outcome> {
    const before = await this.readRecord()
    if (!before || (version !== undefined && before.version !== version)) return NOT_DONE
    await this.#forget()
    return { done: true, owner: before.owner, expiryMoved: false }
  }

  /** As the object of an owner: one of their sessions, and when it ends. */
  async keepSession(id: string, expiry: number | null): Promise<void> {
    await this.ctx.storage.put(SESSION + id, expiry)
    await this.#wakeAtFirst(await this.#sessions())
  }

  async dropSessions(ids: string[]): Promise<void> {
    await this.ctx.storage.delete(ids.map((id) => SESSION + id))
    if ((await this.#sessions()).size === 0) await this.#forget()
  }

  async listSessions(): Promise<string[]> {
    return [...(await this.#sessions()).keys()].map((key) => key.slice(SESSION.length))
  }

  /** When something has expired: nothing of it stays, or the object would be stored and billed for ever. */
  override async alarm(): Promise<void> {
    const now = Date.now()
    const record = await this.readRecord()
    const sessions = await this.#sessions()
    if (record && !isExpired(record.expiry, now)) return this.#wakeAt(record.expiry)
    const expired = [...sessions].filter(([, expiry]) => isExpired(expiry, now))
    if (record || expired.length === sessions.size) return this.#forget()
    await this.ctx.storage.delete(expired.map(([key]) => key))
    await this.#wakeAtFirst(await this.#sessions())
  }

  #sessions(): Promise<Map<string, number | null>> {
    return this.ctx.storage.list<number | null>({ prefix: SESSION })
  }

  async #wakeAtFirst(sessions: Map<string, number | null>): Promise<void> {
    const ends = [...sessions.values()].filter((expiry) => expiry !== null)
    await this.#wakeAt(ends.length === 0 ? null : Math.min(...ends))
  }

  async #wakeAt(expiry: number | null): Promise<void> {
    if (expiry === null) await this.ctx.storage.deleteAlarm()
    else await this.ctx.storage.setAlarm(expiry)
  }

  async #forget(): Promise<void> {
    await this.ctx.storage.deleteAlarm()
    await this.ctx.storage.deleteAll()
  }
}

const SESSION = 'session:'

/**
 * One Durable Object for each session, made near its first visitor, and one for each owner. The strongest store on
 * Cloudflare: every session has one place in the world where it is read and written, one request after the other.
 *
 * An object removes itself when its session expires, by an alarm. `clearStore` is not possible: objects cannot be listed
 * from a Worker.
 */
export class DurableObjectStore extends IndexedStore {
  readonly #namespace: SessionNamespace
  readonly #prefix: string

  /** @throws TypeError for a prefix that is not printable ASCII. */
  constructor(namespace: SessionNamespace, options?: DurableObjectStoreOptions) {
    const { prefix = '', ...rest } = checkOptions('DurableObjectStore', options)
    super(rest)
    this.#namespace = namespace
    this.#prefix = checkPrefix(prefix)
  }

  override get cacheName(): string {
    return `durable object ${this.#prefix}`
  }

  protected async read(id: string): Promise<SessionRecord | undefined> {
    return this.#ask(this.#sessionName(id), (object) => object.readRecord())
  }

  protected async insert(id: string, record: SessionRecord): Promise<boolean> {
    const inserted = await this.#ask(this.#sessionName(id), (object) => object.insertRecord(record))
    if (inserted) await this.#index(id, record)
    return inserted
  }

  protected async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    const { done, expiryMoved } = await this.#ask(this.#sessionName(id), (object) =>
      object.replaceRecord(record, version),
    )
    if (done && expiryMoved) await this.#index(id, record)
    return done
  }

  protected async remove(id: string, version?: string): Promise<boolean> {
    const { done, owner } = await this.#ask(this.#sessionName(id), (object) =>
      object.removeRecord(version),
    )
    if (owner !== null)
      await this.#ask(this.#ownerName(owner), (object) => object.dropSessions([id]))
    return done
  }

  protected async removeAll(): Promise<void> {
    throw new SessionError(
      'UNSUPPORTED',
      'Durable Objects cannot be listed from a Worker. To end every session, use another prefix, or delete the class with a migration.',
    )
  }

  protected override async recordsOf(
    owner: string,
  ): Promise<[id: string, record: SessionRecord][]> {
    const ids = await this.#ask(this.#ownerName(owner), (object) => object.listSessions())
    const records = await Promise.all(ids.map((id) => this.read(id)))
    const gone = ids.filter((_id, i) => records[i] === undefined)
    // A record is written before its entry, so an entry without one is left over.
    if (gone.length > 0)
      await this.#ask(this.#ownerName(owner), (object) => object.dropSessions(gone))
    return ids.flatMap((id, i) => {
      const record = records[i]
      return record ? [[id, record]] : []
    })
  }

  async #index(id: string, { owner, expiry }: SessionRecord): Promise<void> {
    if (owner !== null)
      await this.#ask(this.#ownerName(owner), (object) => object.keepSession(id, expiry))
  }

  // A prefix has no space, so no two stores make one name, whatever an owner is called.

  #sessionName(id: string): string {
    return `${this.#prefix} session ${id}`
  }

  #ownerName(owner: string): string {
    return `${this.#prefix} owner ${owner}`
  }

  /** Each attempt with a stub of its own: after an error a stub may be broken (https://developers.cloudflare.com/durable-objects/best-practices/error-handling/). */
  async #ask<T>(name: string, call: (object: SessionStub) => Promise<T>): Promise<T> {
    const attempt = (): Promise<T> => call(this.#namespace.get(this.#namespace.idFromName(name)))
    try {
      return await attempt()
    } catch (error) {
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean }
      if (!retryable || overloaded) throw error
      return attempt()
    }
  }
}
