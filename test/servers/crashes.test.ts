// A server that is killed in the middle of a write: an error, no cookie, and afterwards the session as before or as after.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { storyApp } from '../support/story-app.ts'
import { Visitor } from '../support/visitor.ts'
import { CLIENTS } from './support/clients.ts'
import { type CuttingProxy, startCuttingProxy } from './support/cutting-proxy.ts'
import { type Server, startServer } from './support/servers.ts'

const known = inject('servers')
const post = { method: 'POST' }

for (const [name, { kind, open }] of Object.entries(CLIENTS)) {
  describe.skipIf(known[kind] === undefined)(
    `a ${kind} server that is killed, seen by ${name}`,
    () => {
      let server: Server | undefined
      let proxy: CuttingProxy
      beforeAll(async () => {
        server = await startServer(kind)
        if (!server) return
        proxy = await startCuttingProxy(server.port)
        const { store, close } = await open(server.url)
        await store.migrate?.()
        await close()
      })
      afterAll(async () => {
        await proxy?.close()
        await server?.dispose()
      })

      /** A visitor with a session, and two keys that are always changed together. */
      async function visitorOf(
        url: string,
      ): Promise<{ ada: Visitor; close: () => Promise<unknown> }> {
        const { store, close } = await open(url)
        const app = storyApp({ store })
        app.post('/both/:value', (c) => {
          c.var.session.set('left', c.req.param('value'))
          c.var.session.set('right', c.req.param('value'))
          return c.text('set')
        })
        const ada = new Visitor((path, init) => app.request(path, init))
        return { ada, close }
      }

      for (const lost of ['message', 'reply'] as const) {
        test(`before ${lost === 'message' ? 'the write arrived' : 'its reply did'}`, async (context) => {
          if (!server) return context.skip('TEST_…_URL names a server that is not ours to kill')
          const through = server.url.replace(String(server.port), String(proxy.port))
          const first = await visitorOf(through)
          await first.ada.visit('/both/before', post)
          await first.ada.visit('/both/before-', post) // whatever is prepared or cached at the first use
          const cookie = first.ada.cookie
          // An acknowledged write is on disk, also with a server that takes its time for that.
          await first.close()
          await server.stop()
          await server.start()

          const second = await visitorOf(through)
          for (const [key, value] of first.ada.cookies) second.ada.cookies.set(key, value)
          await second.ada.visit('/both/before', post)
          await second.ada.visit('/both/before-', post)
          const marker = `after-${crypto.randomUUID()}`
          const sprung =
            lost === 'message' ? proxy.loseMessageWith(marker) : proxy.loseReplyTo(marker)
          const visit = second.ada.visit(`/both/${marker}`, post)
          await sprung
          await server.kill()
          proxy.cut()
          const response = await visit
          expect(response.status).toBe(500)
          expect(response.headers.getSetCookie()).toEqual([])
          await second.close().catch(() => {})

          await server.start()
          const third = await visitorOf(server.url)
          third.ada.cookies.set('__Host-session', cookie.split('=')[1] ?? '')
          const [left, right] = [
            await third.ada.text('/get/left'),
            await third.ada.text('/get/right'),
          ].map((value) => JSON.parse(value))
          await third.close()
          expect(right).toBe(left)
          if (lost === 'message') expect(left).toMatch(/^before-?$/)
          else expect(left).toMatch(/^(before-?|after-.*)$/)
          // These keep what they have acknowledged.
          if (lost === 'reply' && kind !== 'mongodb') expect(left).toBe(marker)
        })
      }
    },
  )
}
