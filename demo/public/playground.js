// The playground's page: calls the JSON API and shows what it says. No framework.
import { call, isolates, onReport } from './api.js'
import { connect } from './connection.js'
import { noteCookie } from './cookie.js'
import { element, fact, show } from './dom.js'
import { askAll, beginIn, drawDoor } from './isolates.js'
import { RACERS, raceIn } from './race.js'
import { current, drawSession, tick } from './session.js'
import { tell } from './timeline.js'

const switches = [...document.querySelectorAll('[name="store"]')]
const everyStore = switches.map(({ value }) => value)
const titleOf = (store) =>
  document.querySelector(`[value="${store}"] + .store-title`)?.textContent ?? store
const chosen = () => switches.find(({ checked }) => checked)?.value ?? 'memory'
const ask = (method, path, body, isolate) => call(chosen(), method, path, { body, isolate })

/** The events of what is being done just now. */
let events = []
onReport((report) => {
  noteCookie(report)
  const store = titleOf(report.store)
  events.push(...report.events.map((event) => ({ ...event, store, isolate: report.isolate })))
})

async function refresh() {
  const answer = await ask('GET', '/session')
  drawSession(answer)
  drawDoor()
  await listDevices(answer.session)
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
  const store = titleOf(chosen())
  events = []
  try {
    const text = await act()
    await refresh()
    if (!quietly || events.length > 0) tell(text, { store, events })
  } catch (error) {
    tell(error.message, { store, events, bad: true })
  }
}

function run(action, form, button) {
  inTurn(async () => {
    await attempt(() => actions[action](form))
    tabs.postMessage(chosen())
    // The list of devices is a new one. Who was in it with the keyboard is not to be thrown out.
    if (button && !button.isConnected) document.getElementById('devices').focus()
  })
}

function look(text) {
  inTurn(() => attempt(() => text, true))
}

function choose(store) {
  for (const option of switches) option.checked = option.value === store
  document.querySelector('[data-private]').href = `/private/${chosen()}`
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

const asked = new URLSearchParams(location.search).get('store')
choose(everyStore.includes(asked) ? asked : chosen())
