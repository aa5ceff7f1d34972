import { CookieStore } from '../../src/index.ts'
import { serve } from '../library.ts'
import { ours, SECRET } from './ours.ts'

export default serve(ours({ store: new CookieStore({ secrets: SECRET }) }, true))
