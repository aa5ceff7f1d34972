import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareDevVars } from '../../../demo/dev-vars.ts'
import { readyOrigin } from '../../support/wrangler.ts'

export interface Playground {
  /** Where it listens, without a slash at the end. */
  readonly origin: string
  stop(): Promise<void>
}

/** The playground as `npm run dev` starts it, on a free port, with an empty storage of its own. */
export async function startPlayground(): Promise<Playground> {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8'))
  const [node, ...command] = (scripts.dev as string).split(' ')
  if (node !== 'node') throw new Error('The script "dev" is expected to run Node.js.')
  return start(command)
}

/** The Worker alone, as it is deployed. */
export function startAlone(protocol: 'http' | 'https' = 'http'): Promise<Playground> {
  prepareDevVars()
  return start(['node_modules/wrangler/bin/wrangler.js', 'dev', '--local-protocol', protocol])
}

async function start(command: string[]): Promise<Playground> {
  const storage = await mkdtemp(join(tmpdir(), 'isolate-session-playground-'))
  const ports = ['--port', '0', '--inspector-port', '0', '--persist-to', storage]
  const child = spawn(process.execPath, [...command, ...ports], {
    detached: true, // a process group of its own, so that the runtime ends with it
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NO_COLOR: '1',
      WRANGLER_SEND_METRICS: 'false',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    },
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid)
    } catch {
      // It has ended by itself.
    }
  }
  process.once('exit', end)
  const stop = async (): Promise<void> => {
    process.off('exit', end)
    end()
    await ended
    await rm(storage, { recursive: true, force: true })
  }
  try {
    return { origin: await readyOrigin(child), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
