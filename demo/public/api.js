// Calls the JSON API, and hands on what each response reports of its session.
let listener = () => {}

/** `listener({ store, method, path, isolate, events, calls, sent, received, answer })` for every response. */
export function onReport(heard) {
  listener = heard
}

/** Which isolates can be asked by name; none without the door that `npm run dev` starts. */
export let isolates = []

export async function call(store, method, path, { body, isolate, anonymous = false } = {}) {
  const response = await fetch(`/api/${store}${path}`, {
    method,
    cache: 'no-store',
    // A request without cookies stands for another device. The browser ignores the cookie in its answer.
    credentials: anonymous ? 'omit' : 'same-origin',
    headers: {
      ...(body && { 'Content-Type': 'application/json' }),
      ...(isolate && { 'X-Isolate': isolate }),
    },
    ...(body && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Error('The Worker does not answer.')
  })
  isolates = response.headers.get('X-Isolates')?.split(',') ?? []
  const report = JSON.parse(response.headers.get('X-Session-Report') ?? '{"events":[],"calls":[]}')
  const answer = await response.json().catch(() => ({}))
  if (!anonymous) listener({ store, method, path, isolate, answer, ...report })
  if (!response.ok) throw new Error(answer.error ?? `The Worker answers ${response.status}.`)
  return answer
}
