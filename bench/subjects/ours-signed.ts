import { MemoryStore } from '../../src/index.js'
import { serve } from '../library.js'
import { ours, SECRET } from './ours.js'

export default serve(ours({ store: new MemoryStore({ warn: false }), secrets: SECRET }))
