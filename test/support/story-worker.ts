import { MemoryStore } from '../../src/index.ts'
import { storyApp } from './story-app.ts'

export default storyApp({ store: new MemoryStore({ warn: false }) })
