import { Hono } from 'hono'
import type { JSX } from 'hono/jsx/jsx-runtime'
import { Shell } from './parts.tsx'
import { appWith } from './sessions.ts'
import { STORES, type StoreFor, stores } from './stores.ts'

/** A page for somebody who has signed in. No script: forms and redirects are enough. */
function privateApp(name: string, store: StoreFor): Hono {
  const app = appWith(name, store)
  const playground = `/?store=${name}`

  app.get('/', (c) => {
    const { owner } = c.var.session
    // Also from the browser's own memory it must not come back: `private` alone would let it.
    c.header('Cache-Control', 'no-store')
    if (owner === undefined) return c.redirect(`${playground}#signed-out`, 303)
    return c.html(`<!doctype html>${<PrivatePage owner={owner} name={name} back={playground} />}`)
  })

  app.post('/sign-out', (c) => {
    c.var.session.destroy()
    return c.redirect(playground, 303)
  })

  return app as unknown as Hono
}

function PrivatePage(props: { owner: string; name: string; back: string }): JSX.Element {
  const { owner, name, back } = props
  return (
    <Shell title="Private page">
      <main class="private">
        <section class="panel" aria-labelledby="private">
          <h1 id="private">Only {owner} sees this</h1>
          <p>
            The session is kept by {STORES[name]?.[0]}. Sign out, then press the browser's back
            button: this page does not come back, because it was sent with{' '}
            <code>Cache-Control: no-store</code>.
          </p>
          <form method="post" action={`/private/${name}/sign-out`} class="row">
            <button type="submit">Sign out</button>
            <a class="button" href={back}>
              Back to the playground
            </a>
          </form>
        </section>
      </main>
    </Shell>
  )
}

export const privatePages: Hono = new Hono()
for (const [name, store] of Object.entries(stores)) {
  privatePages.route(`/${name}`, privateApp(name, store))
}
