// Twenty requests at once that set, twenty that update, and what is left of them.
import { call } from './api.js'
import { element, svg } from './dom.js'

export const RACERS = 20

/** `{ set, update }`: how many of the twenty were kept. */
export async function raceIn(store) {
  await call(store, 'POST', '/race')
  const failed = { set: 0, update: 0 }
  for (const way of ['set', 'update']) {
    const requests = Array.from({ length: RACERS }, () => call(store, 'POST', `/race/${way}`))
    const results = await Promise.allSettled(requests)
    failed[way] = results.filter(({ status }) => status === 'rejected').length
  }
  const { session } = await call(store, 'GET', '/session')
  const kept = { set: session.data.bySet ?? 0, update: session.data.byUpdate ?? 0 }
  for (const way of ['set', 'update']) draw(store, way, kept[way], failed[way])
  return kept
}

function draw(store, way, kept, failed) {
  const bar = svg(
    'svg',
    {
      viewBox: `0 0 ${RACERS} 1`,
      preserveAspectRatio: 'none',
      class: 'bar',
      'aria-hidden': 'true',
    },
    svg('rect', { class: 'bar-all', width: RACERS, height: 1 }),
    svg('rect', { class: kept === RACERS ? 'bar-kept' : 'bar-lost', width: kept, height: 1 }),
  )
  const errors = failed > 0 ? `, ${failed} failed` : ''
  const verdict = kept === RACERS ? 'all kept' : `${RACERS - kept} lost`
  const cell = document.querySelector(`[data-race="${store}"] [data-way="${way}"]`)
  cell.replaceChildren(bar, element('span', '', `${kept} of ${RACERS}, ${verdict}${errors}`))
}
