import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect } from 'vitest'
import { Visitor } from '../support/visitor.ts'
import { afterThis, form, ORIGIN, setCookie, story } from './guide.ts'

/** A provider as OAuth knows it: the code is good once, for the verifier whose challenge it was given. */
async function provider(): Promise<Record<string, string>> {
  const challenges = new Map<string, string>()
  const answer = async (request: IncomingMessage): Promise<object | undefined> => {
    const url = new URL(request.url ?? '/', 'http://provider')
    if (url.pathname === '/expect') {
      challenges.set('the-code', url.searchParams.get('code_challenge') ?? '')
      return {}
    }
    if (url.pathname === '/userinfo') {
      const known = request.headers.authorization === 'Bearer the-token'
      return known ? { sub: 'ada-1815', name: 'Ada' } : undefined
    }
    const asked = new URLSearchParams(await text(request))
    const verifier = new TextEncoder().encode(asked.get('code_verifier') ?? '')
    const hash = Buffer.from(await crypto.subtle.digest('SHA-256', verifier)).toString('base64url')
    const code = asked.get('code') ?? ''
    const good = challenges.get(code) === hash && asked.get('client_secret') === 'client-secret'
    challenges.delete(code)
    return good ? { access_token: 'the-token' } : undefined
  }
  const server = createServer(async (request, response) => {
    const body = await answer(request)
    response.writeHead(body ? 200 : 400, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(body ?? { error: 'invalid_grant' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  afterThis(async () => void server.close())
  return {
    AUTHORIZE_URL: 'https://provider.example/authorize',
    TOKEN_URL: `${base}/token`,
    USERINFO_URL: `${base}/userinfo`,
    CLIENT_ID: 'client-id',
    CLIENT_SECRET: 'client-secret',
  }
}

describe('OAuth', () => {
  /** Begins a sign-in, and lets the provider know of the challenge. Gives the state that comes back. */
  async function begin(who: Visitor, variables: Record<string, string>): Promise<string> {
    const away = new URL((await who.visit('/sign-in')).headers.get('Location') ?? '')
    expect(away.href).toMatch(/^https:\/\/provider\.example\/authorize\?/)
    expect(away.searchParams.get('redirect_uri')).toBe(`${ORIGIN}/callback`)
    expect(away.searchParams.get('code_challenge_method')).toBe('S256')
    await fetch((variables.TOKEN_URL ?? '').replace('/token', '/expect') + away.search)
    return away.searchParams.get('state') ?? ''
  }

  story(
    'docs/recipes/oauth.md',
    0,
    'signs in whoever began, once, with a new cookie',
    async ({ ask, variables }) => {
      const ada = new Visitor(ask, ORIGIN)
      const state = await begin(ada, variables)
      const before = ada.copy()
      const back = `/callback?code=the-code&state=${state}`
      expect((await ada.visit(back)).status).toBe(303)
      expect(await ada.text('/')).toBe('Hello Ada')
      expect(ada.cookie).not.toBe(before.cookie)
      expect(await before.text('/')).toBe('Hello stranger')
      const again = await ada.visit(back)
      expect([again.headers.get('Location'), setCookie(again)]).toEqual(['/', ''])
      expect((await before.visit(back)).status).toBe(400)
    },
    { variables: provider },
  )

  story(
    'docs/recipes/oauth.md',
    0,
    'two tabs do not get in each other’s way, whichever comes back first',
    async ({ ask, variables }) => {
      for (const order of [0, 1]) {
        const ada = new Visitor(ask, ORIGIN)
        const states = [await begin(ada, variables), await begin(ada, variables)]
        // The double knows one challenge at a time: that of the tab that comes back first.
        if (order === 0) {
          const third = await begin(ada, variables)
          states.unshift(third)
        } else states.reverse()
        const [first, second] = states
        const back = await ada.visit(`/callback?code=the-code&state=${first}`)
        expect([back.status, await ada.text('/')]).toEqual([303, 'Hello Ada'])
        const other = await ada.visit(`/callback?code=the-code&state=${second}`)
        expect(other.headers.get('Location')).toBe('/')
        expect(await ada.text('/')).toBe('Hello Ada')
      }
    },
    { variables: provider },
  )

  story(
    'docs/recipes/oauth.md',
    0,
    'refuses a callback that this browser did not begin',
    async ({ ask, variables }) => {
      const [mallory, ada] = [new Visitor(ask, ORIGIN), new Visitor(ask, ORIGIN)]
      const state = await begin(mallory, variables)
      // The attacker's own callback, opened by the victim: without a session, and with another one.
      expect((await ada.visit(`/callback?code=the-code&state=${state}`)).status).toBe(400)
      await begin(ada, variables)
      expect((await ada.visit(`/callback?code=the-code&state=${state}`)).status).toBe(400)
      expect(await ada.text('/')).toBe('Hello stranger')
    },
    { variables: provider },
  )

  story(
    'docs/recipes/oauth.md',
    0,
    'a code that the provider refuses signs nobody in',
    async ({ ask, variables }) => {
      const ada = new Visitor(ask, ORIGIN)
      const state = await begin(ada, variables)
      expect((await ada.visit(`/callback?code=another&state=${state}`)).status).toBe(502)
      expect(await ada.text('/')).toBe('Hello stranger')
    },
    { variables: provider },
  )

  story(
    'docs/recipes/oauth.md',
    1,
    'with form_post only the pending part is SameSite=None',
    async ({ ask, variables }) => {
      const ada = new Visitor(ask, ORIGIN)
      const state = await begin(ada, variables)
      expect([...ada.cookies.keys()]).toEqual(['__Host-oauth'])
      const back = await ada.visit(
        '/callback',
        form({ code: 'the-code', state }, 'https://provider'),
      )
      expect(back.status).toBe(200)
      expect(setCookie(back)).toMatch(/__Host-session=\S+; .*SameSite=Strict/)
      expect(setCookie(back)).toMatch(/__Host-oauth=; .*SameSite=None/)
      expect([...ada.cookies.keys()]).toEqual(['__Host-session'])
      expect(await ada.text('/')).toBe('Hello Ada')
    },
    { variables: provider },
  )

  story(
    'docs/recipes/oauth.md',
    1,
    'with form_post a Lax or Strict cookie that stays away is a sign-in that did not begin here',
    async ({ ask, variables }) => {
      const ada = new Visitor(ask, ORIGIN)
      const state = await begin(ada, variables)
      ada.cookies.delete('__Host-oauth')
      const back = await ada.visit('/callback', form({ code: 'the-code', state }))
      expect(back.status).toBe(400)
    },
    { variables: provider },
  )
})
