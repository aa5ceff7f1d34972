/** Printable ASCII without space: every backend takes it in a key, and none reads a pattern or a path into it. */
const PREFIX = /^[!-~]{0,128}$/

/** Throws a `TypeError` unless `prefix` can begin every key. */
export function checkPrefix(prefix: string): string {
  if (typeof prefix === 'string' && PREFIX.test(prefix)) return prefix
  throw new TypeError('prefix must be at most 128 printable ASCII characters, without spaces.')
}
