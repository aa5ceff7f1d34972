import { serve } from '../library.js'
import { honoSession } from './hono-session.js'

const sessions = new Map<string, never>()

export default serve(
  honoSession({
    get: (id) => sessions.get(id) ?? null,
    set: (id, data) => void sessions.set(id, data as never),
    delete: (id) => void sessions.delete(id),
  }),
)
