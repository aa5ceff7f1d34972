// The questions that the measuring side, in Node, puts to the Workers.

export const WORKS = ['untouched', 'read', 'write', 'begin', 'signIn'] as const
export type Work = (typeof WORKS)[number]

/** First `prepare`, whose time is nobody's business, then `run`, which is measured from outside. */
export interface Question {
  readonly step: 'prepare' | 'run'
  readonly work: Work
  /** How many requests. */
  readonly n: number
}

export interface GrowthQuestion {
  readonly step: 'prepare' | 'run'
  readonly curve: 'sessions' | 'full' | 'hot' | 'keys' | 'bytes' | 'owner'
  readonly size: number
  readonly path: string
  readonly n: number
  /** Which visitors come. */
  readonly seed: number
}
