/** An identifier that every SQL database takes in quotes. */
const TABLE = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Throws a `TypeError` unless `table` is a plain name: it becomes part of statements. */
export function checkTable(table: string, longest: number): string {
  if (typeof table === 'string' && TABLE.test(table) && table.length <= longest) return table
  throw new TypeError(`table must be letters, digits and "_", at most ${longest} of them.`)
}
