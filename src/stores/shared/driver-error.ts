/** Where nobody answers, in the words of Node, of workerd and of the drivers. */
const NO_ANSWER = /conn|ENOTFOUND|EAI|UNREACH|TIMEDOUT|fetch failed|closed|socket|max retries/i

/** Advice on an error of a client; `undefined` for an unknown one. */
export function driverAdvice(error: unknown, isLoginRefused: boolean): string | undefined {
  const text = `${(error as { code?: unknown } | null)?.code} ${error}`
  if (isLoginRefused) return 'Login refused: check user, password and rights.'
  // workerd's message for a client that is kept from one request to the next.
  if (text.includes('different request'))
    return 'A client belongs to one request: make it in `store: (c) => …`.'
  return NO_ANSWER.test(text)
    ? 'No answer: check server, host, port, login, and that the client is closed after the response.'
    : undefined
}
