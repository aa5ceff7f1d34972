import { serve } from '../library.ts'
import { honoSession } from './hono-session.ts'

const sessions = new Map<string, never>()

export default serve(
  honoSession({
    get: (id) => sessions.get(id) ?? null,
    set: (id, data) => void sessions.set(id, data as never),
    delete: (id) => void sessions.delete(id),
  }),
)
