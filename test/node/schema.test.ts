import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MySQLStore } from '../../src/stores/mysql.ts'
import { PostgresStore } from '../../src/stores/postgres.ts'

const blocks = [...readFileSync('docs/servers.md', 'utf8').matchAll(/```sql\n(.*?)```/gs)].map(
  ([, sql = '']) => sql.trim().split('\n'),
)

/** The statements of migrate(), each ended as in a file of migrations. */
async function statementsOf(
  migrate: (note: (sql: string) => void) => Promise<void>,
): Promise<string[]> {
  const statements: string[] = []
  await migrate((sql) => statements.push(`${sql};`))
  return statements
}

test('the schema of the documentation is what PostgresStore.migrate() makes', async () => {
  const statements = await statementsOf(async (note) => {
    const query = async (sql: string): Promise<{ rows: []; rowCount: null }> => {
      note(sql)
      return { rows: [], rowCount: null }
    }
    await new PostgresStore({ query }).migrate()
  })
  expect(blocks[0]).toEqual(statements)
})

test('the schema of the documentation is what MySQLStore.migrate() makes', async () => {
  const statements = await statementsOf(async (note) => {
    const execute = async (sql: string): Promise<[[], undefined]> => {
      note(sql)
      return [[], undefined]
    }
    await new MySQLStore({ execute }).migrate()
  })
  expect(blocks[1]).toEqual(statements)
})
