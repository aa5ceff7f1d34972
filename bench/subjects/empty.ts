import { serve } from '../library.ts'

/** The cost of any middleware. It has no session, so only its `untouched` is looked at. */
export default serve({
  middleware: async (_c, next) => {
    await next()
  },
  read: () => '',
  write: () => '',
  begin: () => {},
})
