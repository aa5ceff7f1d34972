// A store that keeps nothing. It implements `SessionStore` and not `KeyedStore`, because there is no record that could be
// compared, removed or found by owner: most of what `KeyedStore` promises cannot be promised here.

import { seal, unseal } from '../crypto/seal.ts'
import { checkSecrets } from '../crypto/secrets.ts'
import { isValueShaped, randomValue } from '../crypto/values.ts'
import { SessionError } from '../errors.ts'
import { checkOptions } from '../options/check-options.ts'
import type { StoredRecord } from '../session/life.ts'
import { type AnySession, restored, stateOf } from '../session/session.ts'
import { decodeRecord, encodeBody, type SessionRecord } from '../session/session-record.ts'
import { DOES_NO_IO, type SessionStore } from './session-store.ts'

/** The options of `CookieStore`. */
export interface CookieStoreOptions {
  /**
   * At least 32 bytes of UTF-8 each, newest first: the first seals, all open. A session that an older one has opened is
   * sealed again with the first, also if it was only read.
   */
  readonly secrets: string | readonly string[]
}

/**
 * The largest cookie that a browser takes, name included (RFC 6265bis, section 5.6). The middleware measures name and value
 * together.
 */
const MAX_VALUE_LENGTH = 4096

/** Version 1 in base64url, and room for at least an empty text. */
const SEAL_SHAPE = /^A[Q-Za-f][\w-]{64,4094}$/

/**
 * The whole session in its cookie, sealed: nothing is kept anywhere else.
 *
 * **It cannot revoke**: a cookie that was copied works until its session expires, whether or not the visitor has signed
 * out, and whatever `regenerate` and `signIn` have replaced. **It cannot merge** concurrent changes: of two requests at once,
 * the response that arrives last wins, so a request that is still running undoes a sign-out. **It cannot forget**: an old
 * cookie brings back old data, so no counter of failed attempts belongs in it. **It cannot count** sessions or list an
 * owner's. If you need any of these, use a store that keeps records.
 *
 * AES-256-GCM with a key for each isolate, derived from the secret by HKDF-SHA-256; whoever has the cookie can neither read
 * nor change it. About 2,900 bytes of JSON fit; more is refused with `SESSION_TOO_LARGE`, and the old cookie stays. Expiry,
 * owner and the middleware's `name` are inside the seal.
 */
export class CookieStore implements SessionStore {
  readonly #secrets: readonly [string, ...string[]]

  /** @internal A subclass may do more. */
  get [DOES_NO_IO](): boolean {
    return this.constructor === CookieStore
  }

  /**
   * The whole session, encrypted and authenticated, in the visitor's cookie. Nothing is kept on a server.
   *
   * @throws TypeError for secrets that are missing, short or well known. It never shows one.
   */
  constructor(options: CookieStoreOptions) {
    const { secrets } = checkOptions('CookieStore', options)
    this.#secrets = checkSecrets(secrets, 'CookieStore: secrets')
  }

  /** @inheritDoc */
  isWellFormed(cookieValue: string): boolean {
    return typeof cookieValue === 'string' && SEAL_SHAPE.test(cookieValue)
  }

  /** @inheritDoc */
  async loadSession(cookieValue: string): Promise<AnySession | undefined> {
    if (!this.isWellFormed(cookieValue)) return undefined
    const opened = await unseal(cookieValue, this.#secrets)
    const stored = opened && fromText(opened.text)
    const content = stored && decodeRecord(stored.record, Date.now())
    return content && restored(stored, content, opened.secret !== this.#secrets[0])
  }

  /** @inheritDoc */
  async storeSession(session: AnySession): Promise<string> {
    const state = stateOf(session)
    if (state.life.is === 'replacing') state.recordRemoved()
    return state.write(async (write) => {
      const { life, content, rotation } = write
      const old = life.is === 'stored' ? life.stored : undefined
      const expiry = state.expiryToStore(write, content, old?.record, Date.now())
      const id = old && !rotation ? old.id : randomValue()
      const record = { version: '', expiry, owner: content.owner, body: encodeBody(content) }
      const value = await seal(toText({ id, record }), this.#secrets[0])
      if (value.length > MAX_VALUE_LENGTH) throw tooLarge()
      state.completeWrite(write, { id, record, inCookie: true })
      return value
    })
  }

  /** There is nothing to remove but the cookie, which the middleware tells the browser to forget. */
  async destroySession(session: AnySession): Promise<void> {
    stateOf(session).recordRemoved()
  }

  /**
   * Cannot be done: sessions that are in cookies end with the secret that sealed them.
   *
   * @throws SessionError `UNSUPPORTED`.
   */
  async clearStore(): Promise<void> {
    throw new SessionError(
      'UNSUPPORTED',
      'CookieStore keeps nothing that could be cleared. To end every session, replace all of its secrets.',
    )
  }
}

/** A line of what the record says beside its body, and the body, which is JSON and has no line break. */
function toText({ id, record: { expiry, owner, body } }: StoredRecord): string {
  return `${JSON.stringify([id, expiry, owner])}\n${body}`
}

/** A seal opens only with our key, but an older version may have written what is in it. */
function fromText(text: string): StoredRecord | undefined {
  const end = text.indexOf('\n')
  try {
    const [id, expiry, owner] = JSON.parse(text.slice(0, end))
    const record: SessionRecord = { version: '', expiry, owner, body: text.slice(end + 1) }
    return isValueShaped(id) ? { id, record, inCookie: true } : undefined
  } catch {
    return undefined
  }
}

function tooLarge(): SessionError {
  return new SessionError(
    'SESSION_TOO_LARGE',
    `The session would exceed the ${MAX_VALUE_LENGTH} bytes of a cookie and was not stored. Keep less in it, or use a store that keeps records.`,
  )
}
