// A watch is a WebSocket to the session's own Durable Object. The object may hibernate while it is open, and a deployment
// breaks it, so losing the connection says nothing about the session: it is opened again.

/** The close code by which an object says that its session has ended. */
export const ENDED = 4401

/** Opens a connection to what is watched; `undefined`: it has ended. */
export type Connect = () => Promise<WebSocket | undefined>

/** Longest pause before a lost connection is made anew, in milliseconds: a deployment breaks all of them at once. */
const MAX_PAUSE = 1000

/**
 * One session, watched until it ends. `onEnd` is called at most once, and not after `stop()`.
 *
 * In doubt it is called: a socket that is closed although its visitor is still signed in is opened again by the page, one that
 * stays open after a sign-out shows private data to whoever sits there next.
 */
export class Watch {
  readonly #connect: Connect
  readonly #onEnd: () => void
  #socket: WebSocket | undefined
  #isOver = false

  constructor(connect: Connect, onEnd: () => void) {
    this.#connect = connect
    this.#onEnd = onEnd
  }

  /** @throws what opening the connection throws. */
  async start(): Promise<void> {
    const socket = await this.#connect()
    if (this.#isOver) return socket?.close()
    if (!socket) return this.#end()
    this.#socket = socket
    let isLost = false // an error is followed by a close
    const lost = (): void => {
      if (isLost || this.#isOver) return
      isLost = true
      void this.#again()
    }
    socket.addEventListener('error', lost)
    socket.addEventListener('close', ({ code }) => (code === ENDED ? this.#end() : lost()))
    socket.accept()
  }

  /** The handler's own connection has closed, so there is nothing to end any more. */
  stop(): void {
    this.#isOver = true
    this.#socket?.close()
  }

  /** Better one reconnection too many than a session that nobody watches: if it fails, the session counts as ended. */
  async #again(): Promise<void> {
    const pause = Math.random() * MAX_PAUSE
    await new Promise((resolve) => setTimeout(resolve, pause))
    await this.start().catch(() => this.#end())
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onEnd()
  }
}
