// The session and its two clocks.
import { drawCookie } from './cookie.js'
import { duration, fact, show } from './dom.js'

let shown
/** The Worker's clock against this one's, in milliseconds. */
let ahead = 0
let timeouts
let hasEnded = false

export const current = () => shown

export function drawSession({ store, session, isolate, timeouts: given, now }) {
  shown = session
  timeouts = given
  ahead = Date.parse(now) - Date.now()
  hasEnded = false
  show('id', session.id ?? 'none')
  show('data', JSON.stringify(session.data))
  show('state', stateOf(session))
  fact('state').className = `state ${session.isNew ? 'none' : 'lives'}`
  const bytes = `${isolate.bytes.toLocaleString()} of ${isolate.maxBytes.toLocaleString()} bytes`
  const held = `${isolate.sessions.toLocaleString()} sessions, ${bytes}`
  show('isolate', `Answered by isolate ${isolate.id}. Its MemoryStore holds ${held}.`)
  fact('meter').value = isolate.bytes
  drawCookie(store)
  tick()
}

function stateOf({ isNew, owner }) {
  if (isNew) return 'No session. Nothing was written, so nothing is stored.'
  return owner === null ? 'An anonymous session.' : `Signed in as ${owner}.`
}

/** Draws the clocks. True when the session has just run out. */
export function tick() {
  if (!shown) return false
  const now = Date.now() + ahead
  const lives = !shown.isNew && !hasEnded
  const end = Date.parse(shown.createdAt) + timeouts.absoluteTimeout * 1000
  const left = lives && (Date.parse(shown.expiry) - now) / 1000
  show('age', lives ? duration((now - Date.parse(shown.createdAt)) / 1000) : undefined)
  drawClock('idle', left, timeouts.idleTimeout)
  drawClock('absolute', lives && (end - now) / 1000, timeouts.absoluteTimeout)
  if (!lives || left > 0) return false
  hasEnded = true
  show('state', 'It has run out. The next request will find no session.')
  fact('state').className = 'state none'
  return true
}

function drawClock(name, left, whole) {
  const seconds = left === false ? 0 : Math.max(0, left)
  show(`${name}-left`, left === false ? undefined : duration(seconds))
  fact(name).max = whole
  fact(name).value = seconds
  fact(name).classList.toggle('soon', left !== false && seconds < 20)
}
