// Asks three isolates of the same code whether they know the visitor.
import { call, isolates } from './api.js'
import { element, fact } from './dom.js'

/** `npm run dev` starts three; a deployed Worker cannot be asked for one of its isolates. */
export function drawDoor() {
  const several = isolates.length > 1
  fact('no-isolates').hidden = several
  fact('isolates').hidden = !several
  fact('isolate-buttons').hidden = !several
  fact('route').hidden = !several
}

/** What was asked before is not known any more: something has happened to the session since. */
export function forgetAnswers(store) {
  for (const cell of document.querySelectorAll(`[data-row="${store}"] [data-cell]`)) {
    cell.replaceChildren(element('span', 'hint', 'not asked'))
  }
}

/** A visitor without a session gets one, at the first isolate: there is something to know then. */
export async function beginIn(store) {
  const { session } = await call(store, 'GET', '/session')
  if (session.isNew) await call(store, 'POST', '/visits')
}

/** How many of the three know the session that this store keeps. */
export async function askAll(store) {
  const answers = await Promise.all(
    isolates.map((isolate) => call(store, 'GET', '/session', { isolate })),
  )
  answers.forEach(({ session, isolate }, index) => {
    const name = isolates[index]
    document.querySelector(`[data-isolate-id="${name}"]`).textContent = isolate.id
    draw(store, name, session)
  })
  return answers.filter(({ session }) => !session.isNew).length
}

function draw(store, isolate, { isNew, data }) {
  const sign = element('span', 'sign', isNew ? '–' : '✓')
  sign.ariaHidden = 'true'
  const text = isNew ? 'no' : 'knows'
  const cell = document.querySelector(`[data-row="${store}"] [data-cell="${isolate}"]`)
  cell.replaceChildren(element('span', isNew ? 'knows-not' : 'knows', sign, text))
  if (data.visits !== undefined) cell.append(' ', element('span', 'hint', `visit ${data.visits}`))
}
