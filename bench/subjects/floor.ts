import { serve } from '../library.ts'
import { base64url, cookieValue, handlers, hash, keepEntry, mark, newEntry } from './floors.ts'

// The least that a session under a hashed id can do, by whatever is quickest in workerd.

const VALUE_LENGTH = 43

const sessions = new Map<string, string>()

export default serve({
  rotates: true,
  async middleware(c, next) {
    const entry = newEntry()
    const value = cookieValue(c)?.slice(0, VALUE_LENGTH)
    let id = value && (await hash(value))
    const text = id && sessions.get(id)
    if (text) entry.data = JSON.parse(text)
    keepEntry(c, entry)
    await next()
    if (entry.data === undefined) return
    let fresh: string | undefined
    if (entry.written) {
      if (!id || entry.renewed) {
        if (id) sessions.delete(id)
        fresh = base64url(crypto.getRandomValues(new Uint8Array(32)))
        id = await hash(fresh)
      }
      sessions.set(id, JSON.stringify(entry.data))
    }
    mark(c, fresh)
  },
  ...handlers,
})
