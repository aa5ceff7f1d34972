import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import { SessionError, type SessionStore } from '../src/index.ts'
import { DurableObjectStore } from '../src/stores/durable-object.ts'
import type { Env } from './visitor.ts'

/** Milliseconds between two looks at a session whose store does not say by itself that it has ended. */
const LOOK_AGAIN = 500

/** A stream that is open for as long as the visitor's session lives. The last thing it says is why it ends. */
export function connection(c: Context<Env>, store: SessionStore): Response {
  const { session } = c.var
  if (session.isNew) return c.json({ error: 'There is no session yet: count a visit.' }, 409)
  return streamSSE(c, async (stream) => {
    let isOpen = true
    stream.onAbort(() => {
      isOpen = false
    })
    const say = (event: string, data: string): Promise<void> => stream.writeSSE({ event, data })
    if (store instanceof DurableObjectStore) {
      await say('open', 'The object of the session says when it ends.')
      const ended = Promise.withResolvers<void>()
      const stop = await store.watch(session, ended.resolve)
      stream.onAbort(() => {
        stop()
        ended.resolve()
      })
      await ended.promise
      return say('ended', 'The session has ended, and its object said so.')
    }
    await say('open', 'The session is read again twice a second.')
    while (isOpen) {
      try {
        await session.reload()
      } catch (error) {
        return say('ended', reasonOf(error))
      }
      await stream.sleep(LOOK_AGAIN)
    }
  })
}

function reasonOf(error: unknown): string {
  const code = error instanceof SessionError ? error.code : undefined
  if (code === 'SESSION_GONE') return 'The session has ended: reading it again said so.'
  if (code === 'UNSUPPORTED')
    return 'A session in its cookie cannot be read again, so nobody knows whether it has ended.'
  return 'The store does not answer.'
}
