import type { Child } from 'hono/jsx'
import type { JSX } from 'hono/jsx/jsx-runtime'
import { MAX_BYTES } from './stores.js'

/** The playground: a shell that `public/playground.js` fills from the JSON API. */
export function Page(): JSX.Element {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>isolate-session playground</title>
        <link rel="icon" href="/favicon.svg" />
        <link rel="stylesheet" href="/playground.css" />
        <script type="module" src="/playground.js" />
      </head>
      <body>
        <header>
          <h1>isolate-session</h1>
          <p>Your session, as this Worker sees it.</p>
          <label class="store">
            Kept by{' '}
            <select data-store>
              <option value="memory">MemoryStore: in this isolate, as long as it lives</option>
              <option value="cookie">CookieStore: sealed in the cookie itself</option>
              <option value="durable-object">DurableObjectStore: an object for each session</option>
              <option value="d1">D1Store: a row in a database</option>
              <option value="kv">KVStore: a key, seen elsewhere late</option>
              <option value="caching">CachingStore: D1, read from this isolate for 10 s</option>
            </select>
          </label>
        </header>
        <main>
          <Panel id="session" title="Session">
            <dl>
              <Fact name="id" label="Id (a hash)" />
              <Fact name="age" label="Age" />
              <Fact name="expiry" label="Ends in, if unused" />
              <Fact name="owner" label="Owner" />
            </dl>
            <h3>Data</h3>
            <pre data-fact="data">–</pre>
          </Panel>
          <Panel id="isolate" title="Isolate">
            <dl>
              <Fact name="isolate" label="Answered by" />
              <Fact name="since" label="Running since" />
              <Fact name="sessions" label="Sessions it holds" />
              <Fact name="bytes" label="Bytes, of its bound" />
            </dl>
            <meter
              data-fact="meter"
              min="0"
              max={String(MAX_BYTES)}
              value="0"
              aria-label="Bytes held"
            />
          </Panel>
          <Panel id="write" title="Write">
            <div class="row">
              <button type="button" data-action="visit">
                Count a visit
              </button>
              <button type="button" data-action="race">
                20 visits at once
              </button>
            </div>
            <form data-action="data">
              <Field name="key" label="Key" value="colour" />
              <Field name="value" label="Value" value="blue" />
              <button type="submit">Set</button>
            </form>
            <form data-action="leave-flash">
              <Field name="message" label="Flash message" value="Saved!" />
              <button type="submit">Leave it</button>
              <button type="button" data-action="take-flash">
                Take it
              </button>
            </form>
          </Panel>
          <Panel id="account" title="Account">
            <form data-action="sign-in">
              <Field name="user" label="User" value="ada" />
              <button type="submit">Sign in</button>
            </form>
            <div class="row">
              <button type="button" data-action="sign-out">
                Sign out
              </button>
              <button type="button" data-action="sign-out-everywhere">
                Sign out everywhere else
              </button>
              <button type="button" data-action="devices">
                List devices
              </button>
            </div>
            <ul data-fact="devices" />
          </Panel>
          <Panel id="log" title="What happened">
            <ol data-fact="log" aria-live="polite" />
          </Panel>
        </main>
      </body>
    </html>
  )
}

function Panel({ id, title, children }: { id: string; title: string; children?: Child }) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  )
}

function Fact({ name, label }: { name: string; label: string }) {
  return (
    <>
      <dt>{label}</dt>
      <dd data-fact={name}>–</dd>
    </>
  )
}

function Field({ name, label, value }: { name: string; label: string; value: string }) {
  return (
    <label>
      {label} <input name={name} value={value} required autocomplete="off" />
    </label>
  )
}
