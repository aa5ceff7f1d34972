import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The bundle that wrangler makes of the Worker in a configuration. */
export async function bundleByWrangler(config: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'bundle-'))
  try {
    const args = ['wrangler', 'deploy', '-c', config, '--dry-run', '--outdir', directory]
    const { status, stdout, stderr } = spawnSync('npx', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(stdout + stderr)
    const files = (await readdir(directory)).filter((file) => file.endsWith('.js'))
    return await readFile(join(directory, files[0] ?? ''), 'utf8')
  } finally {
    await rm(directory, { recursive: true })
  }
}
