import { createMemorySessionStorage } from '@remix-run/session/memory-storage'
import { serve } from '../library.ts'
import { remix } from './remix.ts'

export default serve(remix(createMemorySessionStorage(), false))
