// A connection that is open for as long as the session lives.
import { fact, show } from './dom.js'

let source

/** `onEnd` is called when the session has ended, by whomever. */
export async function connect(store, onEnd) {
  source?.close()
  const mine = new EventSource(`/api/${store}/connection`)
  source = mine
  const opened = Promise.withResolvers()
  mine.addEventListener('open', ({ data }) => {
    if (!data) return // the browser's own event of that name
    draw('lives', `Open. ${data}`)
    opened.resolve()
  })
  mine.addEventListener('ended', ({ data }) => {
    mine.close()
    draw('none', `Closed. ${data}`)
    opened.resolve()
    onEnd()
  })
  mine.addEventListener('error', () => {
    mine.close()
    draw('none', 'Closed. There is no session yet: count a visit.')
    opened.resolve()
  })
  await opened.promise
}

function draw(state, text) {
  show('connection', text)
  fact('connection').className = `state ${state}`
}
