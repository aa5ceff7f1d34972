import { serve } from '../library.ts'
import { honoSession } from './hono-session.ts'

export default serve(honoSession())
