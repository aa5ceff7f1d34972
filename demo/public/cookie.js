// Shows the last Set-Cookie header as the Worker reports it, without the value: scripts cannot read an HttpOnly cookie.
import { element, fact, show } from './dom.js'

const MEANINGS = {
  'max-age': (value) => `the browser forgets it after ${value} s`,
  path: () => 'sent with every path of this host',
  httponly: () => 'no script can read it',
  samesite: (value) =>
    value === 'Lax' ? 'from other sites only when a link is followed' : `sent by ${value} rules`,
  secure: () => 'over https only',
  partitioned: () => 'one for every site that embeds this one',
}

const last = new Map()

/** Remembers what a response told, for each store. */
export function noteCookie({ store, sent, received }) {
  const known = last.get(store) ?? {}
  last.set(store, { sent: sent ?? known.sent, received, at: sent ? Date.now() : known.at })
}

/** Its Max-Age has passed, so the browser does not send it any more. */
export function forgetCookie(store) {
  show('cookie-state', 'The browser has forgotten the cookie: its Max-Age has passed.')
  last.delete(store)
}

export function drawCookie(store) {
  const { sent, received, at } = last.get(store) ?? {}
  const removed = sent?.valueBytes === 0
  show('cookie-state', stateOf(removed ? undefined : received, sent, removed))
  fact('cookie-line').replaceChildren(...(sent ? line(sent) : []))
  fact('cookie-line').hidden = !sent
  const when = at ? [['Last sent', new Date(at).toLocaleTimeString()]] : []
  const rows = [...(sent?.attributes ?? []).map(explained), ...when]
  fact('attributes').replaceChildren(
    ...rows.flatMap(([name, meaning]) => [element('dt', '', name), element('dd', '', meaning)]),
  )
}

function stateOf(received, sent, removed) {
  if (removed) return 'The last response deleted the cookie.'
  if (received) return `The browser shows ${received.name}, ${received.bytes} of 4,096 bytes.`
  if (sent) return `The browser was sent ${sent.name}, ${sent.bytes} of 4,096 bytes.`
  return 'No cookie.'
}

function line({ name, valueBytes, attributes }) {
  const value = valueBytes > 0 ? [element('span', 'hidden-value', `${valueBytes} bytes`)] : []
  return [`Set-Cookie: ${name}=`, ...value, ...attributes.map((attribute) => `; ${attribute}`)]
}

function explained(attribute) {
  const [name, value] = attribute.split('=')
  if (attribute === 'Max-Age=0') return [attribute, 'forget it now']
  return [attribute, MEANINGS[name.toLowerCase()]?.(value) ?? '']
}
