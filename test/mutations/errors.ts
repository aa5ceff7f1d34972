import type { Mutation } from '../mutations.ts'

export const mutations: Mutation[] = [
  {
    what: 'S5 what an update throws is taken for a failure of the store',
    file: 'errors',
    from: 'if (isNoneOfTheBackend || cause instanceof SessionError) return cause',
    to: 'if (cause instanceof SessionError) return cause',
    caughtBy: ['middleware/failures', 'is answered with its own error'],
  },
]
