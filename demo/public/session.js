// The session and its two clocks.
import { drawCookie, forgetCookie } from './cookie.js'
import { duration, fact, show } from './dom.js'

let shown
let shownIn
/** The Worker's clock against this one's, in milliseconds. */
let ahead = 0
let timeouts
let hasEnded = false

export const current = () => shown

export function drawSession({ store, session, isolate, timeouts: given, now }) {
  const had = shown?.isNew === false && shownIn === store
  shown = session
  shownIn = store
  timeouts = given
  ahead = Date.parse(now) - Date.now()
  hasEnded = false
  show('id', session.id ?? 'none')
  show('data', JSON.stringify(session.data))
  show('state', stateOf(session, had))
  fact('state').className = `state ${session.isNew ? 'none' : 'lives'}`
  const bytes = `${isolate.bytes.toLocaleString()} of ${isolate.maxBytes.toLocaleString()} bytes`
  const held = `${isolate.sessions.toLocaleString()} sessions, ${bytes}`
  show('isolate', `Answered by isolate ${isolate.id}. Its MemoryStore holds ${held}.`)
  fact('meter').value = isolate.bytes
  drawCookie(store)
  tick()
}

function stateOf({ isNew, owner }, had) {
  if (isNew && had) return 'No session any more: this isolate and its store do not know it.'
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
  forgetCookie(shownIn)
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
