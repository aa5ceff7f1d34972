import { MemoryStore } from 'hono-sessions'
import { serve } from '../library.ts'
import { honoSessions } from './hono-sessions.ts'

export default serve(honoSessions(new MemoryStore(), false))
