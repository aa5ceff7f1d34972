import { type ChildProcess, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { expect } from 'vitest'
import type { Block } from '../node/guide.ts'
import { readyOrigin } from '../support/wrangler.ts'
import type { Project } from './project.ts'

/** The page says 8787; here it is whatever is free. */
const PAGE_ORIGIN = 'http://localhost:8787'

/** Commands that need an account. The reader stops there. */
const NEEDS_AN_ACCOUNT = /wrangler login/

/**
 * Somebody who follows a page: writes each file that it shows, types each command, and compares what comes out with what the
 * comment behind the command promises.
 */
export class Reader {
  #project: Project
  readonly #instead: (command: string) => string
  readonly #node: string
  #server: { child: ChildProcess; origin: string } | undefined
  /** How many promised outputs were compared. */
  compared = 0

  /**
   * `instead`: what is typed in place of a command, such as a tarball in place of a package that is not published. `node`: the
   * folder of the Node.js that the reader has.
   */
  constructor(
    project: Project,
    instead: (command: string) => string,
    node: string = dirname(process.execPath),
  ) {
    this.#project = project
    this.#instead = instead
    this.#node = node
  }

  async follow(blocks: readonly Block[]): Promise<void> {
    for (const { language, code, file } of blocks) {
      if (language === 'sh') {
        if (NEEDS_AN_ACCOUNT.test(code)) return
        for (const line of code.trim().split('\n')) await this.#type(line)
      } else if (!file.startsWith('block-')) {
        await this.#project.write(file, code)
        if (file.endsWith('.ts') && this.#server) await this.#reloaded(code)
      }
    }
  }

  /** How the project's own tools are run. */
  run(command: string): Promise<string> {
    return this.#project.run('sh', '-ec', `export PATH="${this.#node}:$PATH"\n${command}`)
  }

  async #type(line: string): Promise<void> {
    const [, command = '', promised] = /^(.*?)(?:\s+# (.*))?$/.exec(line) ?? []
    if (command === '') return
    if (/^npx wrangler dev\b/.test(command)) return this.#serve(this.#instead(command))
    const origin = this.#server?.origin ?? PAGE_ORIGIN
    // curl tells its progress on the other channel.
    const typed = command.startsWith('curl') ? `${command} 2>/dev/null` : this.#instead(command)
    const said = await this.run(typed.replaceAll(PAGE_ORIGIN, origin))
    const entered = /^mkdir (\S+) && cd \1$/.exec(command)?.[1]
    if (entered !== undefined) this.#project = this.#project.at(entered)
    if (!command.startsWith('curl') || promised === undefined) return
    expect(said.trim(), line).toBe(promised.trim())
    this.compared++
  }

  async #serve(command: string): Promise<void> {
    await this.stop()
    const child = spawn(
      'sh',
      ['-c', `exec ${command} --port 0 --inspector-port 0 --show-interactive-dev-session=false`],
      {
        cwd: this.#project.directory,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          PATH: `${this.#node}:${process.env.PATH}`,
          NO_COLOR: '1',
          WRANGLER_SEND_METRICS: 'false',
          CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        },
      },
    )
    this.#server = { child, origin: await readyOrigin(child) }
  }

  /** Until Wrangler serves what was just saved: it says what the page's next answer begins with. */
  async #reloaded(code: string): Promise<void> {
    const greeting = /c\.text\(`(\w+)/.exec(code)?.[1]
    if (greeting === undefined) return
    const origin = this.#server?.origin ?? ''
    const answer = (): Promise<string> => fetch(origin).then((response) => response.text())
    await expect.poll(() => answer().catch(String), { timeout: 30_000 }).toContain(greeting)
  }

  async stop(): Promise<void> {
    const { pid, exitCode } = this.#server?.child ?? {}
    if (pid !== undefined && exitCode === null) process.kill(-pid)
    this.#server = undefined
  }
}
