import { createMemorySessionStorage } from '@remix-run/session/memory-storage'
import { serve } from '../library.js'
import { remix } from './remix.js'

export default serve(remix(createMemorySessionStorage(), false))
