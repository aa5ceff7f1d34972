// The last request as it went: code, isolate, store, answer.
import { isolates } from './api.js'
import { element, fact, show } from './dom.js'

/** What each route does with the session. A test holds that every route has a line. */
export const LINES = {
  'GET /session': "session.get('visits')",
  'POST /visits': "session.update('visits', (n = 0) => n + 1)",
  'POST /data': 'session.set(key, value)',
  'POST /flash': "session.flash('flash', message)",
  'GET /flash': "session.get('flash')",
  'POST /regenerate': 'session.regenerate()',
  'POST /expire-in': 'session.expireIn(20)',
  'POST /race': "session.set('bySet', 0)",
  'POST /race/set': "session.set('bySet', read + 1)",
  'POST /race/update': "session.update('byUpdate', (n = 0) => n + 1)",
  'POST /slow': "session.set('late', true)",
  'POST /sign-in': "session.signIn(user, { keep: ['visits'] })",
  'POST /sign-out': 'session.destroy()',
  'POST /sign-out-everywhere': 'store.destroySessionsOf(owner, { except: session })',
  'GET /devices': 'store.sessionsOf(owner)',
  'DELETE /devices/:id': 'store.destroySessionById(owner, id)',
}

const lineOf = (method, path) => LINES[`${method} ${path.replace(/\/devices\/.*/, '/devices/:id')}`]

/** Looks that the page takes by itself are no requests of the visitor's, unless there was none before. */
export const isOfThePage = (method, path) =>
  method === 'GET' && (path === '/session' || path === '/devices')

export function drawStrip({ method, path, isolate, title, calls, sent, received, answer }) {
  const name = isolate ?? 'A'
  show('strip-line', lineOf(method, path) ?? `${method} ${path}`)
  for (const lamp of document.querySelectorAll('[data-lamp]')) {
    lamp.hidden = isolates.length < 2
    lamp.classList.toggle('lit', lamp.dataset.lamp === name)
  }
  show('strip-isolate', isolates.length < 2 ? 'The only one here.' : `${name} answered.`)
  show('strip-store', title)
  const none = received ? 'No call.' : 'No call: there is no cookie, and nothing was written.'
  fact('strip-calls').replaceChildren(
    ...(calls.length > 0 ? calls.map(call) : [element('li', 'hint', none)]),
  )
  show('strip-answer', answerOf(answer))
  show('strip-cookie', sent ? cookieOf(sent) : 'no Set-Cookie')
}

function call({ method, result }) {
  return element('li', '', element('code', '', method), ` → ${result}`)
}

function answerOf({ visits, session, error, owner, ended }) {
  if (error) return error
  if (visits !== undefined) return `Visit ${visits}`
  if (session) return session.isNew ? 'No session' : `Visit ${session.data.visits ?? 0}`
  if (ended !== undefined) return ended === null ? 'This store cannot' : `${Number(ended)} ended`
  return owner ? `Hello ${owner}` : 'Done'
}

function cookieOf({ name, valueBytes, attributes }) {
  const age = attributes.find((attribute) => attribute.startsWith('Max-Age'))
  return `Set-Cookie: ${name}=${valueBytes > 0 ? '…' : ''}${age ? `; ${age}` : ''}`
}
