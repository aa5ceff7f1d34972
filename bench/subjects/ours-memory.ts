import { MemoryStore } from '../../src/index.ts'
import { serve } from '../library.ts'
import { ours } from './ours.ts'

export default serve(ours({ store: new MemoryStore({ warn: false }) }))
