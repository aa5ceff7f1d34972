/**
 * @module isolate-session/durable-object
 */
import { DurableObject } from 'cloudflare:workers'
import { SessionError } from '../errors.ts'
import { checkOptions } from '../options/check-options.ts'
import { type AnySession, stateOf } from '../session/session.ts'
import { isDead, isExpired, type SessionRecord } from '../session/session-record.ts'
import type { KeyedStoreOptions } from '../storage/keyed-store.ts'
import { BATCH_SIZE, type Removal, SelfIndexedStore } from '../storage/self-indexed-store.ts'
import { checkBinding, checkClient } from './shared/client.ts'
import { checkPrefix } from './shared/prefix.ts'
import { ENDED, Watch } from './shared/watch.ts'

export type { AnySession } from '../session/session.ts'
export type { SessionRecord } from '../session/session-record.ts'
export type { KeyedStoreOptions } from '../storage/keyed-store.ts'
export type { Removal, SelfIndexedStore } from '../storage/self-indexed-store.ts'

/** The subset of a `DurableObjectNamespace<SessionObject>` that `DurableObjectStore` uses. */
export interface SessionNamespace {
  /** As `DurableObjectNamespace.idFromName`. */
  idFromName(name: string): unknown
  /** As `DurableObjectNamespace.get`, of an id that `idFromName` gave. */
  get(id: never): SessionStub
}

/**
 * The subset of a stub that `DurableObjectStore` uses. Both ends may be of different versions during a deployment: names and
 * shapes stay.
 */
export interface SessionStub {
  /** As `SessionObject.readRecord`. */
  readRecord(): Promise<SessionRecord | undefined>
  /** As `SessionObject.insertRecord`. */
  insertRecord(record: SessionRecord): Promise<boolean>
  /** As `SessionObject.replaceRecord`. */
  replaceRecord(record: SessionRecord, version: string): Promise<boolean>
  /** As `SessionObject.removeRecord`. */
  removeRecord(version?: string): Promise<Removal>
  /** As `SessionObject.keepSession`. */
  keepSession(id: string, expiry: number | null): Promise<void>
  /** As `SessionObject.dropSessions`. */
  dropSessions(ids: readonly string[]): Promise<void>
  /** As `SessionObject.listSessions`. */
  listSessions(): Promise<string[]>
  /** Opens the WebSocket that `watch` listens to. */
  fetch(url: string, init: RequestInit): Promise<Response>
}

/** The options of `DurableObjectStore`. */
export interface DurableObjectStoreOptions extends KeyedStoreOptions {
  /** Begins the names of all objects of this store. Default `''`. */
  readonly prefix?: string
}

const RECORD = 'record'

/** `setAlarm` takes nothing beyond the year 2189. An alarm that comes too early is set again. */
const LAST_ALARM = Date.UTC(2189, 0)

/**
 * The Durable Object class behind `DurableObjectStore`. Your Worker exports it, and your configuration names it:
 *
 * @example
 * export { SessionObject } from 'isolate-session/durable-object'
 */
export class SessionObject extends DurableObject<unknown> {
  /** The record of this session. */
  async readRecord(): Promise<SessionRecord | undefined> {
    return this.ctx.storage.get<SessionRecord>(RECORD)
  }

  // Between a read and a write of its own storage an object takes no other request, so each of these is one step. What is
  // written without waiting in between is stored together or not at all.

  /** Writes unless there is a record. */
  async insertRecord(record: SessionRecord): Promise<boolean> {
    if (await this.readRecord()) return false
    await Promise.all([this.ctx.storage.put(RECORD, record), this.#wakeAt(record.expiry)])
    return true
  }

  /** Writes if the record there has this version. */
  async replaceRecord(record: SessionRecord, version: string): Promise<boolean> {
    const before = await this.readRecord()
    if (before?.version !== version || isExpired(before.expiry, Date.now())) return false
    // An alarm is a row written, and billed as one.
    const isMoved = before.expiry !== record.expiry
    const alarm = isMoved ? this.#wakeAt(record.expiry) : undefined
    await Promise.all([this.ctx.storage.put(RECORD, record), alarm])
    if (isDead(record)) this.#tellWatchers()
    return true
  }

  /** Removes the record, if it has this version when one is given. */
  async removeRecord(version?: string): Promise<Removal> {
    const before = await this.readRecord()
    const isMeant = before && (version === undefined || before.version === version)
    if (!isMeant) return { isDone: false, owner: null }
    await this.#forget()
    return { isDone: true, owner: before.owner }
  }

  /** `DurableObjectStore.watch`: a WebSocket that is closed when the session ends. Meanwhile the object may hibernate. */
  override async fetch(): Promise<Response> {
    const record = await this.readRecord()
    if (!record || isDead(record) || isExpired(record.expiry, Date.now())) {
      return new Response(null, { status: 410 })
    }
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Whoever watches has stopped. */
  override webSocketClose(socket: WebSocket): void {
    socket.close()
  }

  #tellWatchers(): void {
    for (const socket of this.ctx.getWebSockets()) socket.close(ENDED, 'The session has ended.')
  }

  /** As the object of an owner: one of their sessions, and when it ends at the latest. */
  async keepSession(id: string, expiry: number | null): Promise<void> {
    const before = await this.ctx.storage.get<number | null>(SESSION + id)
    if (before === null || (before !== undefined && expiry !== null && expiry <= before)) return
    const alarm = await this.ctx.storage.getAlarm()
    // One that comes before anything has expired is set again, so only an earlier one has to be set here.
    const isFirst = expiry !== null && (alarm === null || expiry < alarm)
    const { storage } = this.ctx
    await Promise.all([
      storage.put(SESSION + id, expiry),
      isFirst ? this.#wakeAt(expiry) : undefined,
    ])
  }

  /** Takes these sessions off an owner's list. */
  async dropSessions(ids: readonly string[]): Promise<void> {
    await this.#delete(ids.map((id) => SESSION + id))
    if ((await this.#sessions(1)).size === 0) await this.#forget()
  }

  /** The ids on an owner's list. */
  async listSessions(): Promise<string[]> {
    return [...(await this.#sessions()).keys()].map((key) => key.slice(SESSION.length))
  }

  /**
   * Runs when something has expired, and deletes all of it: an object that keeps anything is stored and billed until it is
   * deleted.
   */
  override async alarm(): Promise<void> {
    const now = Date.now()
    const record = await this.readRecord()
    if (record && !isExpired(record.expiry, now)) return this.#wakeAt(record.expiry)
    const sessions = [...(await this.#sessions())]
    const live = sessions.flatMap(([, expiry]) => (isExpired(expiry, now) ? [] : [expiry]))
    if (record || live.length === 0) return this.#forget()
    await this.#delete(sessions.filter(([, expiry]) => isExpired(expiry, now)).map(([key]) => key))
    const ends = live.filter((expiry) => expiry !== null)
    await this.#wakeAt(ends.length === 0 ? null : ends.reduce((a, b) => Math.min(a, b)))
  }

  #sessions(limit?: number): Promise<Map<string, number | null>> {
    return this.ctx.storage.list({ prefix: SESSION, ...(limit && { limit }) })
  }

  async #delete(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += BATCH_SIZE) {
      await this.ctx.storage.delete(keys.slice(start, start + BATCH_SIZE))
    }
  }

  #wakeAt(expiry: number | null): Promise<void> {
    if (expiry === null) return this.ctx.storage.deleteAlarm()
    return this.ctx.storage.setAlarm(Math.min(expiry, LAST_ALARM))
  }

  async #forget(): Promise<void> {
    await Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()])
    this.#tellWatchers()
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
export class DurableObjectStore extends SelfIndexedStore {
  readonly #namespace: SessionNamespace
  readonly #prefix: string

  /**
   * Sessions in Durable Objects, one object each. The class behind the binding is `SessionObject`.
   *
   * @throws TypeError for what is no binding, and for a prefix that is not printable ASCII.
   */
  constructor(namespace: SessionNamespace, options?: DurableObjectStoreOptions) {
    const { prefix = '', ...rest } = checkOptions('DurableObjectStore', options)
    super(rest)
    checkBinding(namespace, 'DurableObjectStore', 'durable_objects.bindings', 'SESSIONS')
    checkClient(
      namespace,
      'DurableObjectStore takes the binding of a Durable Object class, SessionObject',
      ({ idFromName, get }) => typeof idFromName === 'function' && typeof get === 'function',
    )
    this.#namespace = namespace
    this.#prefix = checkPrefix(prefix)
  }

  /** @inheritDoc */
  override get cacheName(): string {
    return `durable object ${this.#prefix}`
  }

  /**
   * Calls `onEnd` once when the session ends, by whomever and wherever: destroyed, revoked, rotated or expired; at once if it
   * has ended already. What it resolves to stops watching. For a WebSocket or a stream that is to close when its visitor signs
   * out.
   *
   * The session's object sleeps meanwhile. A lost connection is made anew; if that fails, `onEnd` is called.
   *
   * @throws SessionError `UNSUPPORTED` for a session that was never stored, `STORE_FAILED` if the object cannot be reached.
   */
  async watch(session: AnySession, onEnd: () => void): Promise<() => void> {
    const state = stateOf(session)
    await state.idle()
    if (state.isNew && !state.isDestroyed) throw notStored()
    const { stored } = state
    const connect = async (): Promise<WebSocket | undefined> =>
      stored && this.#openSocket(this.#sessionName(stored.id))
    const watch = new Watch(connect, onEnd)
    await this.ask('watch a session', () => watch.start())
    return () => watch.stop()
  }

  /** `undefined`: the session has ended. */
  async #openSocket(name: string): Promise<WebSocket | undefined> {
    const init = { headers: { Upgrade: 'websocket' } }
    const response = await this.#ask(name, (object) =>
      object.fetch('https://session.internal/', init),
    )
    return response.webSocket ?? undefined
  }

  /** @inheritDoc */
  protected async read(id: string): Promise<SessionRecord | undefined> {
    return this.#ask(this.#sessionName(id), (object) => object.readRecord())
  }

  /** @inheritDoc */
  protected async insertRecord(id: string, record: SessionRecord): Promise<boolean> {
    return this.#ask(this.#sessionName(id), (object) => object.insertRecord(record))
  }

  /** @inheritDoc */
  protected async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    return this.#ask(this.#sessionName(id), (object) => object.replaceRecord(record, version))
  }

  /** @inheritDoc */
  protected async removeRecord(id: string, version?: string): Promise<Removal> {
    return this.#ask(this.#sessionName(id), (object) => object.removeRecord(version))
  }

  /** @inheritDoc */
  protected async removeAll(): Promise<void> {
    throw new SessionError(
      'UNSUPPORTED',
      'Durable Objects cannot be listed from a Worker. To end every session, use another prefix, or delete the class with a migration.',
    )
  }

  /** @inheritDoc */
  protected async addEntry(owner: string, id: string, expiry: number | null): Promise<void> {
    await this.#ask(this.#ownerName(owner), (object) => object.keepSession(id, expiry))
  }

  /** @inheritDoc */
  protected async removeEntries(owner: string, ids: readonly string[]): Promise<void> {
    await this.#ask(this.#ownerName(owner), (object) => object.dropSessions(ids))
  }

  /** @inheritDoc */
  protected async entriesOf(owner: string): Promise<string[]> {
    return this.#ask(this.#ownerName(owner), (object) => object.listSessions())
  }

  // A prefix has no space, so no two stores make one name, whatever an owner is called.

  #sessionName(id: string): string {
    return `${this.#prefix} session ${id}`
  }

  #ownerName(owner: string): string {
    return `${this.#prefix} owner ${owner}`
  }

  /**
   * Each attempt with a stub of its own: after an error a stub may be broken
   * (https://developers.cloudflare.com/durable-objects/best-practices/error-handling/).
   */
  async #ask<T>(name: string, call: (object: SessionStub) => Promise<T>): Promise<T> {
    const attempt = (): Promise<T> =>
      call(this.#namespace.get(this.#namespace.idFromName(name) as never))
    try {
      return await attempt()
    } catch (error) {
      const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean }
      if (!retryable || overloaded) throw error
      return attempt()
    }
  }
}

function notStored(): SessionError {
  return new SessionError(
    'UNSUPPORTED',
    'This session was never stored, so there is nothing to watch. Call `await session.save()` first.',
  )
}
