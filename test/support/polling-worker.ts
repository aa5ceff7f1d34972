// A MemoryStore with 100,000 sessions, and one visitor who does the same thing a thousand times in each request.
import { MemoryStore, type SessionRecord } from '../../src/index.ts'

let versions = 0

function record(owner: string | null): SessionRecord {
  return { version: String(versions++), expiry: Date.now() + 86_400_000, owner, body: '{"d":{}}' }
}

class Polled extends MemoryStore {
  async fill(): Promise<void> {
    for (let i = 0; i < 100_000; i++) await this.insert(`id-${i}`, record(i % 3 ? null : `o-${i}`))
  }

  /** As requests do: read, then replace. Two visitors, so that neither stays the most recently used. */
  async poll(): Promise<void> {
    for (let i = 0; i < 500; i++) {
      for (const id of ['id-60000', 'id-60003']) {
        const current = await this.read(id)
        if (!current) throw new Error('The session has gone.')
        await this.replace(id, record(current.owner), current.version)
      }
    }
  }

  async signInAndOut(): Promise<void> {
    for (let i = 0; i < 1000; i++) {
      const id = `new-${versions}`
      await this.insert(id, record('ada'))
      await this.remove(id)
    }
  }
}

const store = new Polled({ maxSessions: 200_000, maxBytes: 2 ** 27, warn: false })

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/fill') await store.fill()
    else if (pathname === '/poll') await store.poll()
    else await store.signInAndOut()
    return new Response(String(await store.count()))
  },
}
