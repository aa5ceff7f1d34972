// The playground's page: calls the JSON API and shows what it says. No framework.
import { call, isolates, onReport } from './api.js'
import { connect } from './connection.js'
import { noteCookie } from './cookie.js'
import { element, fact, show } from './dom.js'
import { askAll, beginIn, drawDoor, forgetAnswers } from './isolates.js'
import { RACERS, raceIn } from './race.js'
import { current, drawSession, tick } from './session.js'
import { drawStrip, isOfThePage } from './strip.js'
import { tell } from './timeline.js'

const switches = [...document.querySelectorAll('[name="store"]')]
const everyStore = switches.map(({ value }) => value)
const titleOf = (store) =>
  document.querySelector(`[value="${store}"] + .store-title`)?.textContent ?? store
const chosen = () => switches.find(({ checked }) => checked)?.value ?? 'memory'
const ask = (method, path, body, isolate = here) => call(chosen(), method, path, { body, isolate })

/** The isolate that what is being done goes to; undefined: where there is only one. */
let here
/** The first one that does not know what A knows. */
const SECOND = 1
let turn = SECOND

/** Isolate A, or each of the three in turn. */
function nextIsolate() {
  if (isolates.length < 2) return undefined
  const any = document.querySelector('[name="route"]:checked').value === 'any'
  return any ? isolates[turn++ % isolates.length] : isolates[0]
}

function route(to) {
  document.querySelector(`[name="route"][value="${to}"]`).checked = true
  turn = SECOND
}

/** The events of what is being done just now. */
let events = []
/** The visitor has done something in this store, so the strip does not show what the page looks at by itself. */
let hasActed = false
/** The ids of the isolates, by their letters: an id that changes is an isolate that was started anew. */
const started = new Map()
onReport((report) => {
  noteCookie(report)
  const store = titleOf(report.store)
  if (!isOfThePage(report.method, report.path) || !hasActed) {
    drawStrip({ ...report, title: store })
  }
  events.push(...report.events.map((event) => ({ ...event, store, isolate: report.isolate })))
})

async function refresh() {
  const answer = await ask('GET', '/session')
  drawSession(answer)
  drawDoor()
  noteStart(here ?? 'A', answer.isolate.id)
  await listDevices(answer.session)
}

function noteStart(letter, id) {
  const before = started.get(letter)
  started.set(letter, id)
  if (before === undefined || before === id) return
  const store = titleOf('memory')
  tell(`Isolate ${letter} was started anew, so what MemoryStore kept in it is gone.`, { store })
}

async function listDevices({ owner }) {
  const list = fact('devices')
  if (owner === null) {
    list.replaceChildren()
    return show('devices-note', 'Sign in to see them.')
  }
  const { devices, listed } = await ask('GET', '/devices')
  list.replaceChildren(...devices.map(device))
  show('devices-note', listed ? '' : `${titleOf(chosen())} cannot find sessions by their owner.`)
}

const clockTime = (at) => new Date(at).toLocaleTimeString([], { timeStyle: 'medium' })

function device({ id, device, lastUsedAt, current }) {
  const used = ` ${device ?? 'a device'}, last used ${clockTime(lastUsedAt)}`
  const button = element('button', '', 'Sign out')
  button.type = 'button'
  button.dataset.action = current ? 'sign-out' : 'sign-out-device'
  button.dataset.id = id
  button.ariaLabel = `Sign out device ${id.slice(0, 8)}`
  const name = element('span', '', element('code', '', `${id.slice(0, 8)}…`), used)
  if (current) name.append(' ', element('span', 'tag', 'this one'))
  return element('li', '', name, button)
}

const actions = {
  visit: async () => `Visit ${(await ask('POST', '/visits')).visits}.`,
  rotate: async () => {
    const { rotated } = await ask('POST', '/regenerate')
    return rotated ? 'A new cookie value, the same data.' : 'There is no session to rotate.'
  },
  shorten: async () => {
    await ask('POST', '/expire-in', { seconds: 20 })
    return 'From now on this session ends when it is not used for 20 s.'
  },
  data: async (form) => {
    await ask('POST', '/data', form)
    return `Set ${form.key}.`
  },
  'leave-flash': async (form) => {
    await ask('POST', '/flash', form)
    return 'Left a flash message: it is there for one reading.'
  },
  'take-flash': async () => {
    const { message } = await ask('GET', '/flash')
    return message === null ? 'There is no flash message.' : `Took the flash message “${message}”.`
  },
  'sign-in': async (form) => `Signed in as ${(await ask('POST', '/sign-in', form)).owner}.`,
  'other-device': async (form) => {
    const options = { body: { user: current()?.owner ?? form.user }, anonymous: true }
    const { owner } = await call(chosen(), 'POST', '/sign-in', options)
    return `${owner} has signed in on another device, which has its own cookie.`
  },
  'sign-in-as-ada': async () => {
    const { owner } = await ask('POST', '/sign-in', { user: 'ada' })
    return `Signed in as ${owner}.`
  },
  'step-nobody': async () => {
    route('one')
    here = nextIsolate()
    check('memory')
    if (!(await ask('GET', '/session')).session.isNew) await ask('POST', '/sign-out')
    hasActed = false
    await ask('GET', '/session')
    return 'Nobody: nothing was written, so there is no cookie.'
  },
  'step-visit': async () =>
    `Visit ${(await ask('POST', '/visits')).visits}. There is a cookie now.`,
  'step-deploy': async () => {
    check('memory')
    route('any')
    const counts = await visitEach()
    return `Three visits by three isolates: they count ${counts}.`
  },
  'step-store': async () => {
    check('d1')
    route('any')
    const counts = await visitEach()
    return `Three visits by three isolates, kept in D1: they count ${counts}.`
  },
  'step-everywhere': async () => {
    check('d1')
    await ask('POST', '/sign-in', { user: 'ada' })
    await call(chosen(), 'POST', '/sign-in', { body: { user: 'ada' }, anonymous: true })
    const { ended } = await ask('POST', '/sign-out-everywhere')
    return `Signed out on ${ended} other device${ended === 1 ? '' : 's'}. This one stays.`
  },
  copy: async () => {
    await navigator.clipboard.writeText(
      document.querySelector('[data-worker]:not([hidden])').textContent,
    )
    return `Copied a Worker with ${titleOf(chosen())}.`
  },
  connect: async () => {
    await connect(chosen(), () => look('The connection has closed: the session has ended.'))
    return 'A connection was asked for: it is open for as long as the session lives.'
  },
  'sign-out': async () => {
    await ask('POST', '/sign-out')
    return 'Signed out.'
  },
  'sign-out-device': async ({ id }) => {
    const { ended } = await ask('DELETE', `/devices/${id}`)
    return ended ? `Signed out on ${id.slice(0, 8)}…` : 'That device is signed out already.'
  },
  'sign-out-everywhere': async () => {
    const { ended } = await ask('POST', '/sign-out-everywhere')
    return ended === null
      ? `${titleOf(chosen())} cannot find sessions by their owner: other devices are still signed in.`
      : `Signed out on ${ended} other device${ended === 1 ? '' : 's'}.`
  },
  'sign-out-meanwhile': async () => {
    await ask('POST', '/visits')
    const slow = ask('POST', '/slow')
    await new Promise((resolve) => setTimeout(resolve, 200))
    await ask('POST', '/sign-out')
    await slow
    return events.some(({ type }) => type === 'gone')
      ? 'The slow request found the session gone, and brought nothing back.'
      : 'The slow request did not notice: this store cannot write on a condition.'
  },
  ask: async () => {
    await beginIn(chosen())
    return `${await askAll(chosen())} of ${isolates.length} isolates know the session.`
  },
  'ask-every': async () => {
    for (const store of everyStore) {
      await beginIn(store)
      await askAll(store)
    }
    return 'Asked the isolates for the session of every store.'
  },
  'visit-at': async ({ isolate }) => {
    const { visits } = await ask('POST', '/visits', undefined, isolate)
    await askAll(chosen())
    return `Visit ${visits}, as isolate ${isolate} counts.`
  },
  race: async () => kept(await raceIn(chosen())),
  'race-every': async () => {
    for (const store of everyStore) await raceIn(store)
    return 'Raced in every store.'
  },
}

const kept = ({ set, update }) => `${set} of ${RACERS} kept by set, ${update} by update.`

async function visitEach() {
  const counts = []
  for (let i = 0; i < Math.max(isolates.length, 3); i++) {
    here = nextIsolate()
    counts.push((await ask('POST', '/visits')).visits)
  }
  return counts.join(', ')
}

/** What these say stays true of the isolates that were asked. */
const ASKING = ['ask', 'ask-every', 'visit-at', 'copy', 'take-flash']

const tabs = new BroadcastChannel('isolate-session-playground')
let work = Promise.resolve()

/** One thing after the other: the entries of the timeline would mix otherwise. */
function inTurn(next) {
  const main = document.querySelector('main')
  main.ariaBusy = 'true'
  const mine = work.then(next)
  work = mine
  void mine.finally(() => {
    if (work === mine) main.ariaBusy = 'false'
  })
}

/** `act` gives what to say of it, or nothing unless something happened to the session. */
async function attempt(act, quietly) {
  events = []
  try {
    const text = await act()
    await refresh()
    const store = titleOf(chosen())
    if (!quietly || events.length > 0) tell(text, { store, events })
  } catch (error) {
    tell(error.message, { store: titleOf(chosen()), events, bad: true })
  }
}

function run(action, form, button) {
  inTurn(async () => {
    here = nextIsolate()
    hasActed = true
    document.getElementById('signed-out').hidden = true
    if (!ASKING.includes(action)) forgetAnswers(chosen())
    await attempt(() => actions[action](form))
    if (action.startsWith('step-')) {
      document.querySelector('.panel-last-request').scrollIntoView({ block: 'nearest' })
    }
    tabs.postMessage(chosen())
    // The list of devices is a new one. Who was in it with the keyboard is not to be thrown out.
    if (button && !button.isConnected) document.getElementById('devices').focus()
  })
}

function look(text) {
  inTurn(() => attempt(() => text, true))
}

/** Shows a store as the chosen one. */
function check(store) {
  for (const option of switches) option.checked = option.value === store
  document.querySelector('[data-private]').href = `/private/${store}`
  for (const worker of document.querySelectorAll('[data-worker]')) {
    worker.hidden = worker.dataset.worker !== store
  }
}

function choose(store) {
  check(store)
  hasActed = false
  look(`Looked at the session that ${titleOf(chosen())} keeps.`)
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest('button[data-action]')
  if (!button) return
  const form = button.form ? Object.fromEntries(new FormData(button.form)) : {}
  run(button.dataset.action, { ...form, ...button.dataset }, button)
})

document.addEventListener('submit', (event) => {
  event.preventDefault()
  run(event.target.dataset.action, Object.fromEntries(new FormData(event.target)))
})

document.querySelector('.stores').addEventListener('change', () => {
  history.replaceState(null, '', `?store=${chosen()}`)
  choose(chosen())
})

tabs.addEventListener('message', ({ data }) => {
  if (data === chosen()) look('Another tab used this session.')
})

// From the browser's memory the page comes back as it was, which it no longer is.
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) look('Came back to this page.')
})

setInterval(() => {
  if (!tick()) return
  const store = titleOf(chosen())
  const events = [{ type: 'expired', id: current().id, store }]
  tell('Nobody used it.', { store, events })
}, 1000)

document.querySelector('main').inert = false
const asked = new URLSearchParams(location.search).get('store')
choose(everyStore.includes(asked) ? asked : chosen())
