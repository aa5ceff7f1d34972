import type { Context } from 'hono'
import { type Library, PROFILE, serve } from '../library.js'
import { SECRET } from './ours.js'

// The least that a session in a sealed cookie can do: AES-GCM with one key that is kept, a fresh nonce for each cookie. No
// expiry, no salt, no rotation of secrets, nothing checked: this is a yardstick, not a library.

interface Data {
  n: number
  user?: string
}

interface Entry {
  data: Data | undefined
  written: boolean
}

const NAME = '__Host-session='
const NONCE_BYTES = 12

type Encodable = { toBase64(options: object): string }
const base64url = (bytes: Uint8Array): string =>
  (bytes as unknown as Encodable).toBase64({ alphabet: 'base64url', omitPadding: true })

type Decoder = { fromBase64(text: string, options: object): Uint8Array<ArrayBuffer> }
const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  (Uint8Array as unknown as Decoder).fromBase64(text, { alphabet: 'base64url' })

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const aes = (iv: Uint8Array<ArrayBuffer>): { name: string; iv: Uint8Array<ArrayBuffer> } => ({
  name: 'AES-GCM',
  iv,
})

let kept: Awaited<ReturnType<typeof makeKey>> | undefined

async function makeKey() {
  const hash = await crypto.subtle.digest('SHA-256', encoder.encode(SECRET))
  return crypto.subtle.importKey('raw', hash, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

const library: Library = {
  inCookie: true,
  rotates: true,
  async middleware(c, next) {
    kept ??= await makeKey()
    const entry: Entry = { data: undefined, written: false }
    const header = c.req.raw.headers.get('Cookie')
    const at = header === null ? -1 : header.indexOf(NAME)
    if (header !== null && at >= 0) {
      const bytes = bytesOf(header.slice(at + NAME.length))
      const nonce = bytes.subarray(0, NONCE_BYTES)
      const text = await crypto.subtle.decrypt(aes(nonce), kept, bytes.subarray(NONCE_BYTES))
      entry.data = JSON.parse(decoder.decode(text))
    }
    c.set('entry' as never, entry as never)
    await next()
    if (entry.data === undefined) return
    const response = new Response(c.res.body, c.res)
    c.res = undefined as unknown as Response
    c.res = response
    const { headers } = response
    if (entry.written) {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
      const text = encoder.encode(JSON.stringify(entry.data))
      const sealed = await crypto.subtle.encrypt(aes(nonce), kept, text)
      const bytes = new Uint8Array(NONCE_BYTES + sealed.byteLength)
      bytes.set(nonce)
      bytes.set(new Uint8Array(sealed), NONCE_BYTES)
      headers.append(
        'Set-Cookie',
        `${NAME}${base64url(bytes)}; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax; Secure`,
      )
    }
    headers.set('Vary', 'Cookie')
    headers.set('Cache-Control', 'private')
  },
  read: (c) => entryOf(c).data?.n,
  write(c) {
    const entry = entryOf(c)
    entry.written = true
    return entry.data && ++entry.data.n
  },
  begin(c) {
    const entry = entryOf(c)
    entry.written = true
    entry.data = { n: 0, ...{ profile: PROFILE } }
  },
  signIn(c) {
    const entry = entryOf(c)
    entry.written = true
    if (entry.data) entry.data.user = 'ada'
  },
}

const entryOf = (c: Context): Entry => c.get('entry' as never)

export default serve(library)
