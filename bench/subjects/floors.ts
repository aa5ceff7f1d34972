import type { Context } from 'hono'
import { type Library, PROFILE } from '../library.ts'

// Shared by the two floors: yardsticks, not libraries. No expiry, no limit, no versions, nothing checked.

export interface Entry {
  data: { n: number; user?: string } | undefined
  written: boolean
  renewed: boolean
}

const NAME = '__Host-session='

type Encodable = { toBase64(options: object): string }
export const base64url = (bytes: Uint8Array): string =>
  (bytes as unknown as Encodable).toBase64({ alphabet: 'base64url', omitPadding: true })

const encoder = new TextEncoder()

export const hash = async (value: string): Promise<string> =>
  base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(value))))

export const newEntry = (): Entry => ({ data: undefined, written: false, renewed: false })

/** The value of the session's cookie, which is the last one that the visitors here send. */
export function cookieValue(c: Context): string | undefined {
  const header = c.req.raw.headers.get('Cookie')
  const at = header === null ? -1 : header.indexOf(NAME)
  return header === null || at < 0 ? undefined : header.slice(at + NAME.length)
}

/** Puts the headers on a copy: an app may keep a response and give it to the next visitor, too. */
export function mark(c: Context, value: string | undefined): void {
  const response = new Response(c.res.body, c.res)
  c.res = undefined as unknown as Response // or Hono would merge the two
  c.res = response
  const { headers } = response
  if (value !== undefined) {
    headers.append(
      'Set-Cookie',
      `${NAME}${value}; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax; Secure`,
    )
  }
  headers.set('Vary', 'Cookie')
  headers.set('Cache-Control', 'private')
}

export const keepEntry = (c: Context, entry: Entry): void => c.set('entry' as never, entry as never)

const entryOf = (c: Context): Entry => c.get('entry' as never)

export const handlers: Pick<Library, 'read' | 'write' | 'begin' | 'signIn'> = {
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
