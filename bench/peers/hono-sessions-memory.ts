import { MemoryStore } from 'hono-sessions'
import { serve } from '../library.js'
import { honoSessions } from './hono-sessions.js'

export default serve(honoSessions(new MemoryStore(), false))
