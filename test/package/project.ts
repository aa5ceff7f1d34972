import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A packed tarball as npm describes it. */
export interface Packed {
  readonly filename: string
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string; readonly size: number }[]
}

/** Builds and packs the package. Gives what npm says of it, and where the tarball is. */
export async function pack(directory: string): Promise<{ packed: Packed; tarball: string }> {
  await run('npm', ['run', 'build'])
  // Without its own build, whose words would stand before the JSON.
  const options = ['--json', '--ignore-scripts', '--pack-destination', directory]
  const { stdout } = await run('npm', ['pack', ...options])
  const [packed] = JSON.parse(stdout) as Packed[]
  if (!packed) throw new Error('npm packed nothing')
  return { packed, tarball: join(directory, packed.filename) }
}

/** Tools that a user would install as well; these are the ones of this repository. */
const TOOLS = [
  '@cloudflare/vitest-plugin',
  '@cloudflare/workers-types',
  '@types/node',
  'typescript',
  'vitest',
  'wrangler',
]

/** Somebody's project: a folder outside of the repository. */
export class Project {
  readonly directory: string

  private constructor(directory: string) {
    this.directory = directory
  }

  /** An empty folder, in which these packages are installed as a user would. */
  static async with(...packages: string[]): Promise<Project> {
    const project = await Project.empty()
    await project.write('package.json', '{ "name": "app", "private": true, "type": "module" }')
    await project.run('npm', 'install', '--prefer-offline', ...packages)
    return project
  }

  /** An empty folder. */
  static async empty(): Promise<Project> {
    return new Project(await mkdtemp(join(tmpdir(), 'isolate-session-user-')))
  }

  /** A folder in it, where everything is done from. */
  at(folder: string): Project {
    return new Project(join(this.directory, folder))
  }

  async installed(): Promise<string[]> {
    const names = await readdir(join(this.directory, 'node_modules'))
    return names.filter((name) => !name.startsWith('.')).sort()
  }

  async linkTools(): Promise<void> {
    for (const tool of TOOLS) {
      const link = join(this.directory, 'node_modules', tool)
      await mkdir(dirname(link), { recursive: true })
      await symlink(resolve('node_modules', tool), link)
    }
  }

  async write(file: string, text: string): Promise<void> {
    const path = join(this.directory, file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }

  /** Runs a program here, and gives everything that it said. Throws with that if it failed. */
  async run(program: string, ...args: string[]): Promise<string> {
    // npm would hand down what it was told about this repository.
    const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST)/i.test(name))
    const env = { ...Object.fromEntries(inherited), CI: 'true', NODE_ENV: '' }
    try {
      const { stdout, stderr } = await run(program, args, { cwd: this.directory, env })
      return stdout + stderr
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      throw new Error(`${program} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error })
    }
  }

  /** One of this repository's tools, started as its own package says. */
  tool(file: string, ...args: string[]): Promise<string> {
    return this.run(process.execPath, resolve('node_modules', file), ...args)
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }
}
