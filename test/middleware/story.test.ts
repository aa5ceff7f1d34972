import { httpStory } from '../support/http-story.js'
import { storyApp } from '../support/story-app.js'
import { MOUNTS, newStore } from '../support/world.js'

for (const [door, mount] of MOUNTS) {
  httpStory(`MemoryStore through ${door}`, () => {
    const app = storyApp({ store: newStore() }, mount)
    return (url, init) => app.request(url, init)
  })
}
