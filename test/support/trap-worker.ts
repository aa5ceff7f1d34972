// The story app over a store whose steps take real time, with a switch for how long, and a way to die.
// @ts-expect-error: newer than the types
import { abortIsolate } from 'cloudflare:workers'
import { Hono } from 'hono'
import { MemoryStore, type SessionRecord } from '../../src/index.ts'
import { storyApp } from './story-app.ts'

let delay = 0
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, delay))

class SlowMemory extends MemoryStore {
  protected override async read(id: string): Promise<SessionRecord | undefined> {
    await pause()
    return super.read(id)
  }

  protected override async insert(id: string, record: SessionRecord): Promise<boolean> {
    await pause()
    return super.insert(id, record)
  }

  protected override async replace(
    id: string,
    record: SessionRecord,
    version: string,
  ): Promise<boolean> {
    await pause()
    return super.replace(id, record, version)
  }
}

const app = new Hono()
app.post('/delay/:ms', (c) => {
  delay = Number(c.req.param('ms'))
  return c.text('set')
})
app.post('/die', () => abortIsolate())
app.route('/', storyApp({ store: new SlowMemory({ warn: false }) }) as never)

export default app
