import type { Context } from 'hono'
import { getIronSession, type IronSession, webCookies } from 'iron-session'
import { PROFILE, serve } from '../library.ts'
import { SECRET } from '../subjects/ours.ts'

interface Data {
  n: number
  profile: typeof PROFILE
  user?: string
}

const sessionOf = (c: Context): IronSession<Data> => c.get('iron')

export default serve({
  inCookie: true,
  // Its headers are collected apart and put on the response, as its documentation does it.
  async middleware(c, next) {
    const headers = new Headers()
    const options = { cookieName: 'session', password: SECRET }
    c.set('iron', await getIronSession<Data>(webCookies(c.req.raw, headers), options))
    await next()
    for (const line of headers.getSetCookie()) c.res.headers.append('Set-Cookie', line)
  },
  read: (c) => sessionOf(c).n,
  async write(c) {
    const session = sessionOf(c)
    session.n = (session.n ?? 0) + 1
    await session.save()
    return session.n
  },
  async begin(c) {
    const session = sessionOf(c)
    session.n = 0
    session.profile = PROFILE
    await session.save()
  },
  async signIn(c) {
    sessionOf(c).user = 'ada'
    await sessionOf(c).save()
  },
})
