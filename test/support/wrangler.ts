import type { ChildProcess } from 'node:child_process'

const READY_WITHIN = 90_000

/** Where a `wrangler dev` that was just started listens, without a slash at the end. Rejects with all that it said if it ends instead. */
export function readyOrigin({ stdout, stderr }: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error(`wrangler dev does not start:\n${said}`))
    const timer = setTimeout(fail, READY_WITHIN)
    for (const stream of [stdout, stderr]) {
      stream?.on('data', (chunk) => {
        said += chunk
        const origin = /Ready on (https?:\/\/[^\s/]+)/.exec(said)?.[1]
        if (origin === undefined) return
        clearTimeout(timer)
        resolve(origin)
      })
      stream?.once('close', fail)
    }
  })
}
