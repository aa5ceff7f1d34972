import { serve } from '../library.ts'
import { base64url, cookieValue, handlers, keepEntry, mark, newEntry } from './floors.ts'
import { SECRET } from './ours.ts'

// The least that a session in a sealed cookie can do: AES-GCM with one key that never changes, and a fresh nonce for each cookie.

const NONCE_BYTES = 12

type Bytes = Uint8Array<ArrayBuffer>
type Decoder = { fromBase64(text: string, options: object): Bytes }
const bytesOf = (text: string): Bytes =>
  (Uint8Array as unknown as Decoder).fromBase64(text, { alphabet: 'base64url' })

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const aes = (iv: Bytes): { name: string; iv: Bytes } => ({ name: 'AES-GCM', iv })

let kept: Awaited<ReturnType<typeof makeKey>> | undefined

async function makeKey() {
  const hash = await crypto.subtle.digest('SHA-256', encoder.encode(SECRET))
  return crypto.subtle.importKey('raw', hash, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

export default serve({
  inCookie: true,
  rotates: true,
  async middleware(c, next) {
    kept ??= await makeKey()
    const entry = newEntry()
    const value = cookieValue(c)
    if (value !== undefined) {
      const bytes = bytesOf(value)
      const nonce = bytes.subarray(0, NONCE_BYTES)
      const text = await crypto.subtle.decrypt(aes(nonce), kept, bytes.subarray(NONCE_BYTES))
      entry.data = JSON.parse(decoder.decode(text))
    }
    keepEntry(c, entry)
    await next()
    if (entry.data === undefined) return
    let fresh: string | undefined
    if (entry.written) {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
      const text = encoder.encode(JSON.stringify(entry.data))
      const sealed = await crypto.subtle.encrypt(aes(nonce), kept, text)
      const bytes = new Uint8Array(NONCE_BYTES + sealed.byteLength)
      bytes.set(nonce)
      bytes.set(new Uint8Array(sealed), NONCE_BYTES)
      fresh = base64url(bytes)
    }
    mark(c, fresh)
  },
  ...handlers,
})
