import { connect, createServer, type Socket } from 'node:net'

/** Stands between a client and its server, and can lose the next message that holds a given text, or the reply to it. */
export interface CuttingProxy {
  readonly port: number
  /** The message does not arrive. Resolves when it was sent. */
  loseMessageWith(text: string): Promise<void>
  /** The message arrives, and nothing that the server says from then on. Resolves when the server has answered. */
  loseReplyTo(text: string): Promise<void>
  /** Cuts every connection. */
  cut(): void
  close(): Promise<void>
}

interface Trap {
  readonly text: string
  readonly loses: 'message' | 'reply'
  readonly sprung: () => void
}

export async function startCuttingProxy(serverPort: number): Promise<CuttingProxy> {
  let trap: Trap | undefined
  const sockets = new Set<Socket>()
  const track = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    return socket.once('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    const behind = track(connect(serverPort, '127.0.0.1'))
    let isLosing = false
    track(client).on('data', (chunk) => {
      const isCaught = trap !== undefined && chunk.includes(trap.text)
      if (isCaught && trap?.loses === 'message') return trap.sprung()
      isLosing ||= isCaught
      behind.write(chunk)
    })
    behind.on('data', (chunk) => {
      if (isLosing) trap?.sprung()
      else client.write(chunk)
    })
    behind.once('close', () => client.destroy())
    client.once('close', () => behind.destroy())
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const lose = (loses: Trap['loses'], text: string): Promise<void> =>
    new Promise((sprung) => {
      trap = { text, loses, sprung }
    })
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    loseMessageWith: (text) => lose('message', text),
    loseReplyTo: (text) => lose('reply', text),
    cut,
    close: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
