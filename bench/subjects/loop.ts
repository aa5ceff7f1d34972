import { serve } from '../library.ts'

const answer = { status: 200, headers: new Headers(), text: async () => 'ok' } as Response

/** The cost of making a request and looking at the answer: nothing answers here. Taken off everybody's time. */
export default serve(
  { read: () => '', write: () => '', begin: () => {}, signIn: () => {} },
  { fetch: () => answer },
)
