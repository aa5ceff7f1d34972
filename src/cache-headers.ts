/** A directive, with its argument if it has one (RFC 9111, section 5.2). */
const DIRECTIVE = /([^\s,="]+)(\s*=\s*(?:"[^"]*"|[^\s,"]*))?/g

/** Where handlers address shared caches beside `Cache-Control` (RFC 9213, and Cloudflare's own). */
const SHARED_CACHE_HEADERS = ['CDN-Cache-Control', 'Cloudflare-CDN-Cache-Control']

/**
 * Keeps a response that depends on the session out of shared caches.
 *
 * Cloudflare caches a response without `Cache-Control` and does not look at `Vary` or the request's cookie
 * (https://developers.cloudflare.com/cache/concepts/cache-behavior/), so one visitor's page would be shown to the next.
 */
export function keepFromSharedCaches(headers: Headers, setsCookie: boolean): void {
  const vary = headers.get('Vary')
  if (vary === null) headers.set('Vary', 'Cookie')
  else if (!/(^|,)\s*(\*|cookie)\s*(,|$)/i.test(vary)) headers.set('Vary', `${vary}, Cookie`)
  const asked = headers.get('Cache-Control')
  const needed = setsCookie ? noStore(asked) : privately(asked)
  if (needed !== asked) headers.set('Cache-Control', needed)
  for (const name of SHARED_CACHE_HEADERS) if (headers.has(name)) headers.delete(name)
}

function noStore(asked: string | null): string {
  const kept = asked === null ? [] : unshared(asked)
  return kept.some(([name]) => name === 'no-store') ? text(kept) : 'no-store'
}

function privately(asked: string | null): string {
  if (asked === null) return 'private'
  const kept = unshared(asked)
  const strict = kept.some(([name]) => name === 'no-store' || name === 'private')
  return strict ? text(kept) : text([['private', 'private'], ...kept])
}

/** What was asked for, without what lets shared caches in. A `private` or `no-cache` for some fields only does. */
function unshared(asked: string): [name: string, directive: string][] {
  return [...asked.matchAll(DIRECTIVE)].flatMap(([directive, written = '', argument]) => {
    const name = written.toLowerCase()
    const shares = name === 'public' || name === 's-maxage'
    const qualified = argument !== undefined && (name === 'private' || name === 'no-cache')
    return shares || qualified ? [] : [[name, directive]]
  })
}

function text(directives: [name: string, directive: string][]): string {
  return directives.map(([, directive]) => directive).join(', ')
}
