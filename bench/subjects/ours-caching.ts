import { MemoryStore } from '../../src/index.js'
import { CachingStore } from '../../src/stores/caching.js'
import { serve } from '../library.js'
import { ours } from './ours.js'

// A MemoryStore takes the backend's part, so that what is measured is the cache and not a database.
const backend = new MemoryStore({ name: 'backend', warn: false })

export default serve(ours({ store: new CachingStore(backend, { maxAge: 30, name: 'backend' }) }))
