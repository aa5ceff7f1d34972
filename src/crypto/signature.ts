// A signature saves store calls for values that were made up. It is no protection of the session itself: the value is random.

import { checkSecrets, keysOf } from './secrets.ts'
import { base64url, fromBase64url, utf8 } from './values.ts'

/** A value, a dot, and 32 bytes in base64url, which are 43 characters. The value may have dots itself: the last one counts. */
const SIGNED = /^(.+)\.([\w-]{43})$/

/** Signs cookie values, and recognises its own. Bound to the cookie's name: a value is worth nothing under another. */
export class Signer {
  readonly #secrets: readonly [string, ...string[]]

  /** @throws TypeError for secrets that are missing, short or well known. */
  constructor(secrets: unknown) {
    this.#secrets = checkSecrets(secrets, 'session(): secrets')
  }

  /** `value.signature`, by the newest secret. */
  async sign(value: string, cookieName: string): Promise<string> {
    const { signature } = await keysOf(this.#secrets[0])
    const mac = await crypto.subtle.sign('HMAC', signature, message(value, cookieName))
    return `${value}.${base64url(new Uint8Array(mac))}`
  }

  /**
   * The value that was signed, and whether by the newest secret. Anything else: `undefined`.
   *
   * An older secret is tried only after the newer ones have failed, so a made-up value costs one verification for each.
   */
  async verify(
    signed: string,
    cookieName: string,
  ): Promise<{ value: string; isCurrent: boolean } | undefined> {
    const [, value, spelled] = SIGNED.exec(signed) ?? []
    const mac = spelled === undefined ? undefined : fromBase64url(spelled)
    if (value === undefined || !mac) return undefined
    for (const secret of this.#secrets) {
      const { signature } = await keysOf(secret)
      // Compared by the platform, in constant time.
      if (await crypto.subtle.verify('HMAC', signature, mac, message(value, cookieName))) {
        return { value, isCurrent: secret === this.#secrets[0] }
      }
    }
    return undefined
  }
}

/** NUL is in no cookie name and no value, so no two pairs make one message. */
function message(value: string, cookieName: string): Uint8Array<ArrayBuffer> {
  return utf8(`isolate-session signature v1\0${cookieName}\0${value}`)
}
