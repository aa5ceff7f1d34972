import { serve } from '../library.js'
import { honoSession } from './hono-session.js'

export default serve(honoSession())
