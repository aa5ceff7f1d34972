import { createServer } from 'node:http'
import { createClient } from 'redis'

/** In front of a Redis: HTTP as @upstash/redis speaks it, a command as a JSON array. */
export async function openHttpBridge(
  redis: string,
): Promise<{ url: string; close: () => Promise<void> }> {
  const client = createClient({ url: redis })
  client.on('error', () => {})
  await client.connect()
  const bridge = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    try {
      const result = await client.sendCommand(JSON.parse(body).map(String))
      response.end(JSON.stringify({ result: result ?? null }))
    } catch (error) {
      response.statusCode = 400
      response.end(JSON.stringify({ error: (error as Error).message }))
    }
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => bridge.once('listening', resolve))
  const { port } = bridge.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      bridge.close()
      bridge.closeAllConnections()
      await client.close()
    },
  }
}
