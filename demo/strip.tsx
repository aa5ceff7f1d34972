import type { JSX } from 'hono/jsx/jsx-runtime'
import { ISOLATES } from './panels.tsx'
import { Action, Panel } from './parts.tsx'
import { WORKERS, workerFor } from './workers.ts'

/** The last request as it went: the line that ran, the isolate, the calls of the store, and what went back. */
export function Strip(): JSX.Element {
  return (
    <Panel id="last-request" title="The last request">
      <div class="row">
        <Action name="visit" isPrimary>
          Count a visit
        </Action>
        <Action name="sign-in-as-ada">Sign in as ada</Action>
        <Action name="rotate">New cookie value</Action>
        <Action name="sign-out">Sign out</Action>
      </div>
      <fieldset class="route" data-fact="route">
        <legend>Your next request goes to</legend>
        <label class="check">
          <input type="radio" name="route" value="one" checked /> isolate A, as with{' '}
          <code>wrangler dev</code>
        </label>
        <label class="check">
          <input type="radio" name="route" value="any" /> any of three, as on Cloudflare
        </label>
      </fieldset>
      <ol class="journey">
        <li>
          <h3>Your code</h3>
          <code data-fact="strip-line">…</code>
        </li>
        <li>
          <h3>Isolate</h3>
          <p class="lamps" data-fact="lamps">
            {ISOLATES.map((isolate) => (
              <span class="lamp" data-lamp={isolate}>
                {isolate}
              </span>
            ))}
          </p>
          <p class="hint" data-fact="strip-isolate">
            –
          </p>
        </li>
        <li>
          <h3 data-fact="strip-store">Store</h3>
          <ul class="calls" data-fact="strip-calls" />
        </li>
        <li>
          <h3>What went back</h3>
          <p class="answer" data-fact="strip-answer">
            –
          </p>
          <code data-fact="strip-cookie">–</code>
        </li>
      </ol>
    </Panel>
  )
}

/** Five steps, each one click and one sentence. */
const STEPS: readonly [action: string, name: string, sentence: string][] = [
  ['step-nobody', 'Nobody', 'Whoever only looks costs nothing: no cookie, no call of the store.'],
  ['step-visit', 'A visit', 'The first write stores a session and sends its cookie.'],
  [
    'step-deploy',
    'Deploy',
    'On Cloudflare the next request meets another isolate. MemoryStore counts 1 again.',
  ],
  [
    'step-store',
    'Choose a store',
    'With D1 every isolate finds the session, and the count goes on.',
  ],
  [
    'step-everywhere',
    'Sign out everywhere',
    'Two devices sign in. One ends the other’s session, without its cookie.',
  ],
]

export function Story(): JSX.Element {
  return (
    <Panel id="story" title="In five steps">
      <ol class="story">
        {STEPS.map(([action, name, sentence]) => (
          <li>
            <Action name={action}>{name}</Action>
            <p>{sentence}</p>
          </li>
        ))}
      </ol>
      <details class="copy">
        <summary>Copy this Worker</summary>
        {WORKERS.map((store) => (
          <pre data-worker={store} hidden={store !== 'memory'}>
            <code>{workerFor(store)}</code>
          </pre>
        ))}
        <div class="row">
          <Action name="copy">Copy it</Action>
          <a class="button" href="https://www.npmjs.com/package/isolate-session">
            Documentation and source
          </a>
        </div>
      </details>
    </Panel>
  )
}
