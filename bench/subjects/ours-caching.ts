import { MemoryStore } from '../../src/index.ts'
import { CachingStore } from '../../src/stores/caching.ts'
import { serve } from '../library.ts'
import { ours } from './ours.ts'

// A MemoryStore takes the backend's part, so that what is measured is the cache and not a database.
const backend = new MemoryStore({ name: 'backend', warn: false })

export default serve(ours({ store: new CachingStore(backend, { maxAge: 30, name: 'backend' }) }))
