// What happened to the session, newest first. Events come from the middleware's `onEvent`, by way of the response.
import { element, fact } from './dom.js'

/** Older entries go: a page that is left open must not grow. */
const MOST_ENTRIES = 40

const short = (id) => `${id.slice(0, 8)}…`

const REASONS = {
  unknown: 'the cookie is of no session known there; it is left alone, another isolate may know it',
  malformed: 'the cookie is not of the form that this store issues; it was not asked',
  duplicate: 'two different cookies under one name; neither is believed',
  signature: 'the signature is not ours',
}

/** For each event a sign, a word, and a sentence: nothing is said by colour alone. */
const EVENTS = {
  created: ['+', 'Created', ({ id }) => `${short(id)} is stored, and the browser has a cookie`],
  extended: ['↑', 'Extended', ({ id }) => `${short(id)} was used, so its end has moved`],
  regenerated: ['↻', 'Rotated', ({ id }) => `${short(id)} is the new id, the old cookie is dead`],
  'signed-in': ['✓', 'Signed in', ({ id }) => `${short(id)} has an owner and a fresh lifetime`],
  destroyed: ['×', 'Destroyed', ({ id }) => `${short(id)} is removed, and the cookie with it`],
  expired: ['∅', 'Expired', ({ id }) => `${short(id)} was not used in time`],
  gone: ['∅', 'Gone', ({ id }) => `${short(id)} ended while a request ran, which changed nothing`],
  rejected: ['?', 'Rejected', ({ reason }) => REASONS[reason]],
  conflict: [
    '⇄',
    'Conflict',
    ({ attempts }) => `another request was faster; done again, ${attempts} attempts at most`,
  ],
}

/** One thing that was done, and what it did to the session. */
export function tell(text, { store, events = [], bad = false }) {
  document.querySelector('[data-empty]')?.remove()
  const time = element('time', '', new Date().toLocaleTimeString())
  const entry = element(
    'li',
    bad ? 'entry bad' : 'entry',
    element('p', 'entry-head', time, element('span', 'tag', store)),
    element('p', 'entry-text', text),
  )
  const marks = together(events).map((event) => mark(event, store))
  if (marks.length > 0) entry.append(element('ul', 'marks', ...marks))
  const list = fact('timeline')
  list.prepend(entry)
  while (list.children.length > MOST_ENTRIES) list.lastElementChild.remove()
  const words = new Set(events.map(({ type }) => EVENTS[type]?.[1] ?? type))
  fact('status').textContent = [text, ...words].join(' · ')
}

/** Twenty conflicts are one line. */
function together(events) {
  const groups = new Map()
  for (const event of events) {
    const { store, isolate, type, reason, id } = event
    const key = [store, isolate, type, reason, type === 'conflict' ? '' : id].join()
    const { count = 0, attempts = 0 } = groups.get(key) ?? {}
    const most = Math.max(attempts, event.attempts ?? 0)
    groups.set(key, { ...event, count: count + 1, attempts: most })
  }
  return groups.values().toArray()
}

function mark(event, store) {
  const [sign, word, sentence] = EVENTS[event.type] ?? ['·', event.type, () => '']
  const icon = element('span', 'sign', sign)
  icon.ariaHidden = 'true'
  const inStore = event.store === store ? '' : ` in ${event.store}`
  const where = inStore + (event.isolate ? ` by ${event.isolate}` : '')
  const times = event.count > 1 ? ` ${event.count} times` : ''
  return element(
    'li',
    `mark ${event.type}`,
    icon,
    element('span', '', element('strong', '', word + where + times), ` ${sentence(event)}`),
  )
}
