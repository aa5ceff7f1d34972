import { CookieStore } from '../../src/index.js'
import { serve } from '../library.js'
import { ours, SECRET } from './ours.js'

export default serve(ours({ store: new CookieStore({ secrets: SECRET }) }, true))
