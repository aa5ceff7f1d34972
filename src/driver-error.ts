/** Where nobody answers, in the words of Node, of workerd and of the drivers. */
const NO_ANSWER =
  /ECONN|CONNECTION_|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|CONNECT_TIMEOUT|cannot connect|fetch failed|closed|terminated|socket|max retries|must be connected|network connection lost/i

/** What workerd says to a client that is kept from one request to the next. */
const OTHER_REQUEST = /on behalf of a different request/

/** Where drivers put what they have sent. The session's data is in it, and errors are logged. */
const SENT = ['command', 'parameters', 'args']

/** How @upstash/redis does it: at the end of the message. */
const SENT_IN_MESSAGE = /, command was: .*/s

export const LOGIN_REFUSED = 'The server refused the login: check user, password and rights.'

/** What to do about an error that any client may have; `undefined` for one that it takes a database to know. */
export function driverAdvice(error: unknown): string | undefined {
  const text = `${(error as { code?: unknown } | null)?.code} ${error}`
  if (OTHER_REQUEST.test(text)) {
    return 'In a Worker a client belongs to one request: make it in `store: (c) => …`.'
  }
  if (!NO_ANSWER.test(text)) return undefined
  return 'The server does not answer, or the client is closed: check that the server runs, its host and port, and that the client is closed no sooner than after the response.'
}

/** The driver's own error, without what was sent. Made anew: some drivers do not let go of it. */
export function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { message, stack = '' } = error
  const told = message.replace(SENT_IN_MESSAGE, '')
  if (told === message && !SENT.some((property) => Object.hasOwn(error, property))) return error
  const { message: _, stack: __, ...properties } = Object.getOwnPropertyDescriptors(error)
  for (const property of SENT) Reflect.deleteProperty(properties, property)
  const clean: Error = Object.setPrototypeOf(new Error(told), Object.getPrototypeOf(error))
  clean.stack = stack.replace(message, told)
  return Object.defineProperties(clean, properties)
}
