// Before the tests with servers: starts those that no environment variable names.
import type { TestProject } from 'vitest/node'
import { howToHave, KINDS, type Kind, namedServer, type Server, startServer } from './servers.ts'

declare module 'vitest' {
  interface ProvidedContext {
    servers: Partial<Record<Kind, string>>
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const own: Server[] = []
  const urls: Partial<Record<Kind, string>> = {}
  await Promise.all(
    KINDS.map(async (kind) => {
      const url = namedServer(kind)
      const server = url === undefined ? await startServer(kind) : undefined
      if (server) own.push(server)
      const found = url ?? server?.url
      if (found !== undefined) urls[kind] = found
      else if (process.env.REQUIRE_SERVERS) throw new Error(`${kind}: ${howToHave(kind)}`)
      else console.warn(`\n*** SKIPPED: the tests with ${kind}: ${howToHave(kind)}. ***\n`)
    }),
  )
  project.provide('servers', urls)
  return async () => {
    await Promise.all(own.map((server) => server.dispose()))
  }
}
