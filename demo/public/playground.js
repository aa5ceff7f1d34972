// The playground's page: calls the JSON API and shows what it says. No framework.
const chosen = document.querySelector('[data-store]')
const RACERS = 20

const fact = (name) => document.querySelector(`[data-fact="${name}"]`)
const show = (name, text) => {
  fact(name).textContent = text ?? '–'
}

let shown

async function call(method, path, body) {
  const response = await fetch(`/api/${chosen.value}${path}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`)
  return answer
}

function log(text, bad = false) {
  const item = document.createElement('li')
  item.textContent = `${new Date().toLocaleTimeString()} ${text}`
  item.className = bad ? 'bad' : ''
  fact('log').prepend(item)
}

async function refresh() {
  const { session, isolate } = await call('GET', '/session')
  shown = session
  show('id', session.id ?? 'none: nothing was written, so nothing is stored')
  show('owner', session.owner ?? 'nobody')
  if (session.owner === null) fact('devices').replaceChildren()
  show('data', JSON.stringify(session.data, undefined, 2))
  show('isolate', isolate.id)
  show('since', new Date(isolate.startedAt).toLocaleTimeString())
  show('sessions', isolate.sessions.toLocaleString())
  show('bytes', `${isolate.bytes.toLocaleString()} of ${isolate.maxBytes.toLocaleString()}`)
  fact('meter').value = isolate.bytes
  tick()
}

function tick() {
  if (!shown) return
  const since = (Date.now() - Date.parse(shown.createdAt)) / 1000
  show('age', shown.isNew ? 'not stored' : duration(since))
  const left = shown.expiry && (Date.parse(shown.expiry) - Date.now()) / 1000
  show('expiry', left === null ? '–' : left > 0 ? duration(left) : 'expired')
}

function duration(seconds) {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ]
  const first = parts.findIndex(([amount]) => amount > 0)
  return parts
    .slice(first === -1 ? 3 : first)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ')
}

async function race() {
  const before = shown?.data.visits ?? 0
  // One request first: visitors without a cookie would each get a session of their own.
  const first = shown?.isNew ? 1 : 0
  if (first) await call('POST', '/visits')
  const rest = RACERS - first
  await Promise.all(Array.from({ length: rest }, () => call('POST', '/visits')))
  const { session } = await call('GET', '/session')
  const counted = session.data.visits - before
  log(
    `${RACERS} visits sent, ${rest} of them at once: ${counted} were counted.`,
    counted !== RACERS,
  )
}

async function listDevices() {
  const { owner, devices } = await call('GET', '/devices')
  const items = devices.map(({ id, createdAt, current }) => {
    const item = document.createElement('li')
    const since = new Date(createdAt).toLocaleTimeString()
    item.textContent = `${id.slice(0, 8)}…, since ${since}${current ? ' (this one)' : ''}`
    return item
  })
  fact('devices').replaceChildren(...items)
  log(owner === null ? 'Sign in first: nobody owns this session.' : `${devices.length} device(s).`)
}

const actions = {
  visit: async () => log(`Visit ${(await call('POST', '/visits')).visits}.`),
  race,
  data: async (form) => {
    await call('POST', '/data', form)
    log(`Set ${form.key}.`)
  },
  'leave-flash': async (form) => {
    await call('POST', '/flash', form)
    log('Left a flash message: it will be there once.')
  },
  'take-flash': async () => {
    const { message } = await call('GET', '/flash')
    log(message === null ? 'There is no flash message.' : `Took the flash message “${message}”.`)
  },
  'sign-in': async (form) => {
    const { owner, id } = await call('POST', '/sign-in', form)
    log(`Signed in as ${owner}, with a new id: ${id.slice(0, 8)}…`)
  },
  'sign-out': async () => {
    await call('POST', '/sign-out')
    log('Signed out: the session is gone, and the cookie with it.')
  },
  'sign-out-everywhere': async () => {
    const { ended } = await call('POST', '/sign-out-everywhere')
    log(`Signed out on ${ended} other device(s).`)
  },
  devices: listDevices,
}

async function run(action, form = {}) {
  try {
    await actions[action](form)
    await refresh()
  } catch (error) {
    log(error.message, true)
  }
}

document.addEventListener('click', ({ target }) => {
  if (target.matches('button[data-action]')) void run(target.dataset.action)
})

document.addEventListener('submit', (event) => {
  event.preventDefault()
  void run(event.target.dataset.action, Object.fromEntries(new FormData(event.target)))
})

chosen.addEventListener('change', () => {
  log(`Now looking at the session kept by ${chosen.selectedOptions[0].textContent}.`)
  void refresh()
})

setInterval(tick, 1000)
void refresh()
