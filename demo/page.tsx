import type { JSX } from 'hono/jsx/jsx-runtime'
import { Isolates, Race } from './panels.tsx'
import { Action, Fact, Field, Panel, Shell, StoreTitle } from './parts.tsx'
import { STORES } from './stores.ts'
import { Story, Strip } from './strip.tsx'

/** The playground: a shell that `public/playground.js` fills from the JSON API. */
export function Page(): JSX.Element {
  return (
    <Shell title="isolate-session playground" script="/playground.js">
      <a class="skip" href="#session">
        Skip to the session
      </a>
      <header class="top">
        <h1>isolate-session</h1>
        <p>
          Sessions for Hono on Cloudflare Workers. Count a visit, and see what it takes: the line
          that runs, the isolate that runs it, what the store does, and which cookie goes back.
        </p>
      </header>
      <noscript>
        <p class="notice shown">
          This page needs JavaScript: it draws what the Worker answers. Without it nothing here does
          anything.
        </p>
      </noscript>
      <p class="notice" id="signed-out">
        The private page is for somebody who has signed in, so it sent you here.
      </p>
      {/* Nothing in it can be used before there is a script to use it. */}
      <main inert>
        <Strip />
        <fieldset class="stores">
          <legend>Your session is kept by</legend>
          {Object.entries(STORES).map(([store, [title, hint]]) => (
            <label class="store">
              <input type="radio" name="store" value={store} checked={store === 'memory'} />
              <StoreTitle title={title} />
              <span class="hint">{hint}</span>
            </label>
          ))}
        </fieldset>
        <Story />
        <h2 class="workshop">The workshop</h2>
        <div id="panels">
          <SessionPanel />
          <CookiePanel />
          <WritePanel />
          <AccountPanel />
          <Isolates />
          <Race />
          <Panel id="timeline" title="What happened">
            <p class="quiet" data-empty>
              Nothing yet. Count a visit.
            </p>
            <ol class="timeline" data-fact="timeline" />
          </Panel>
        </div>
      </main>
      <p class="status" role="status" data-fact="status" />
    </Shell>
  )
}

function SessionPanel(): JSX.Element {
  return (
    <Panel id="session" title="Session">
      <p class="state" data-fact="state">
        …
      </p>
      <Timer name="idle" label="Ends, if unused, in" />
      <Timer name="absolute" label="Ends in any case in" />
      <dl>
        <Fact name="id" label="Id (a hash)" />
        <Fact name="age" label="Age" />
        <Fact name="data" label="Data" />
      </dl>
    </Panel>
  )
}

function CookiePanel(): JSX.Element {
  return (
    <Panel id="cookie" title="Cookie">
      <p class="state" data-fact="cookie-state">
        …
      </p>
      <code class="cookie-line" data-fact="cookie-line" />
      <dl class="attributes" data-fact="attributes" />
      <p class="quiet">
        Page scripts cannot read an HttpOnly cookie. The Worker says what it sent, and never the
        value. (Here every store has a cookie of its own, so that you can have a session in each.)
      </p>
    </Panel>
  )
}

function WritePanel(): JSX.Element {
  return (
    <Panel id="write" title="Write">
      <form data-action="data">
        <Field name="key" label="Key" value="colour" />
        <Field name="value" label="Value" value="blue" />
        <button type="submit">Set</button>
      </form>
      <form data-action="leave-flash">
        <Field name="message" label="Flash message, for one reading" value="Saved!" />
        <button type="submit">Leave it</button>
        <Action name="take-flash">Take it</Action>
      </form>
      <div class="row">
        <Action name="shorten">End after 20 s unused</Action>
      </div>
    </Panel>
  )
}

function AccountPanel(): JSX.Element {
  return (
    <Panel id="account" title="Account">
      <form data-action="sign-in">
        <Field name="user" label="User" value="ada" />
        <label class="check">
          <input type="checkbox" name="remember" /> Remember me for 15 minutes, also when the
          browser is closed
        </label>
        <button type="submit">Sign in</button>
        <Action name="other-device">Sign in on another device</Action>
      </form>
      <div class="row">
        <Action name="sign-out-everywhere">Sign out everywhere else</Action>
        <Action name="sign-out-meanwhile">Sign out during a request</Action>
        <a class="button" data-private href="/private/memory">
          Private page
        </a>
      </div>
      <h3>Open connection</h3>
      <div class="row">
        <Action name="connect">Open a connection</Action>
      </div>
      <p class="state none" data-fact="connection">
        None. A WebSocket or a stream goes on after its request. Open one, then sign out in another
        tab.
      </p>
      <h3 id="devices" tabindex={-1}>
        Devices
      </h3>
      <ul class="devices" data-fact="devices" aria-labelledby="devices" />
      <p class="quiet" data-fact="devices-note" />
    </Panel>
  )
}

function Timer({ name, label }: { name: string; label: string }): JSX.Element {
  return (
    <div class="timer">
      <span id={`${name}-label`}>{label}</span>
      <span class="timer-left" data-fact={`${name}-left`}>
        –
      </span>
      <progress data-fact={name} max="1" value="0" aria-labelledby={`${name}-label`} />
    </div>
  )
}
