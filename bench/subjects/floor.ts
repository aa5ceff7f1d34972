import type { Context } from 'hono'
import { type Library, PROFILE, serve } from '../library.js'

// The least that a session under a hashed id can do, by whatever is quickest in workerd. No expiry, no limit, no versions,
// nothing checked: this is a yardstick, not a library.

interface Data {
  n: number
  user?: string
}

interface Entry {
  data: Data | undefined
  written: boolean
  renewed: boolean
  id: string | undefined
}

const sessions = new Map<string, string>()
const encoder = new TextEncoder()
const NAME = '__Host-session='

type Encodable = { toBase64(options: object): string }
const base64url = (bytes: Uint8Array): string =>
  (bytes as unknown as Encodable).toBase64({ alphabet: 'base64url', omitPadding: true })

const hash = async (value: string): Promise<string> =>
  base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(value))))

const library: Library = {
  rotates: true,
  async middleware(c, next) {
    const entry: Entry = { data: undefined, written: false, renewed: false, id: undefined }
    const header = c.req.raw.headers.get('Cookie')
    const at = header === null ? -1 : header.indexOf(NAME)
    if (header !== null && at >= 0) {
      entry.id = await hash(header.slice(at + NAME.length, at + NAME.length + 43))
      const text = sessions.get(entry.id)
      if (text !== undefined) entry.data = JSON.parse(text)
    }
    c.set('entry' as never, entry as never)
    await next()
    if (entry.data === undefined) return
    // An app may keep a response and give it to the next visitor, too: it is never changed in place.
    const response = new Response(c.res.body, c.res)
    c.res = undefined as unknown as Response
    c.res = response
    const { headers } = response
    if (entry.written) {
      if (entry.id === undefined || entry.renewed) {
        if (entry.id !== undefined) sessions.delete(entry.id)
        const value = base64url(crypto.getRandomValues(new Uint8Array(32)))
        entry.id = await hash(value)
        headers.append(
          'Set-Cookie',
          `${NAME}${value}; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax; Secure`,
        )
      }
      sessions.set(entry.id, JSON.stringify(entry.data))
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
    entry.renewed = true
    if (entry.data) entry.data.user = 'ada'
  },
}

const entryOf = (c: Context): Entry => c.get('entry' as never)

export default serve(library)
