import { httpStory } from '../support/http-story.ts'
import { storyApp } from '../support/story-app.ts'
import { MOUNTS, newStore } from '../support/world.ts'

for (const [door, mount] of MOUNTS) {
  httpStory(`MemoryStore through ${door}`, () => {
    const app = storyApp({ store: newStore() }, mount)
    return (url, init) => app.request(url, init)
  })
}
