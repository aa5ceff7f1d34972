import { createCookieSessionStorage } from '@remix-run/session/cookie-storage'
import { serve } from '../library.js'
import { remix } from './remix.js'

export default serve(remix(createCookieSessionStorage(), true))
