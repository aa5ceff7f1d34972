import type { SessionEnv } from '../src/index.ts'
import type { Watched } from './report.ts'

/** The data that the playground keeps in a session. */
export interface Visitor {
  visits: number
  flash: string
  bySet: number
  byUpdate: number
  late: boolean
  [key: string]: unknown
}

export type Env = SessionEnv<Visitor> & { Variables: Watched }
