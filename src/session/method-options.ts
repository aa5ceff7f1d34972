// The options of a session's methods. A misspelt option would be ignored in silence, and with it
// the wish to keep something or to be remembered, so it throws.

/**
 * `advice` is the whole message: it shows the call as it should be.
 *
 * @throws TypeError unless it is an object with no options but these.
 */
function optionsOf(options: unknown, known: readonly string[], advice: string): object {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  if (isObject && Object.keys(options).every((name) => known.includes(name))) return options
  throw new TypeError(advice)
}

/** The options of `regenerate` and `signIn`. `keep` is copied: the caller may change its list later. */
export function checkMethodOptions(
  method: 'regenerate' | 'signIn',
  options: unknown = {},
): { keep?: readonly string[]; device?: unknown } {
  const [known, example] =
    method === 'signIn'
      ? [['keep', 'device'], "{ keep: ['cart'], device: 'Firefox on Linux' }"]
      : [['keep'], "{ keep: ['cart'] }"]
  const advice = `${method}() takes its options as an object: ${example}.`
  const { keep, device } = optionsOf(options, known, advice) as { keep?: unknown; device?: unknown }
  if (keep === undefined) return { device }
  const isList = Array.isArray(keep) && keep.every((key) => typeof key === 'string')
  if (!isList) throw new TypeError(advice)
  return { keep: [...keep], device }
}

/** The option of `expireIn`. */
export function checkPersistent(options: unknown = {}): boolean | undefined {
  const advice = 'expireIn() takes its options as an object: { persistent: true }.'
  const { persistent } = optionsOf(options, ['persistent'], advice) as { persistent?: unknown }
  if (persistent === undefined || typeof persistent === 'boolean') return persistent
  throw new TypeError(advice)
}
