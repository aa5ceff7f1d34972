import { MemoryStore } from '../../src/index.js'
import { storyApp } from './story-app.js'

export default storyApp({ store: new MemoryStore({ warn: false }) })
