import { createCookieSessionStorage } from '@remix-run/session/cookie-storage'
import { serve } from '../library.ts'
import { remix } from './remix.ts'

export default serve(remix(createCookieSessionStorage(), true))
