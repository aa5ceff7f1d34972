import type { JSX } from 'hono/jsx/jsx-runtime'
import { Action, Panel, StoreTitle } from './parts.tsx'
import { MAX_BYTES, STORES } from './stores.ts'

export const ISOLATES: readonly string[] = ['A', 'B', 'C']

/** Who of three isolates knows the visitor. There are three where `npm run dev` started them. */
export function Isolates(): JSX.Element {
  return (
    <Panel id="isolates" title="Isolates">
      <p>
        Cloudflare runs a Worker in many isolates, and a visitor's next request may meet any of
        them. Here are three of the same code, with the same database, KV and objects. Ask each
        whether it knows your session.
      </p>
      <p class="notice" data-fact="no-isolates" hidden>
        Only one isolate can be asked here. <code>npm run dev</code> starts three.
      </p>
      <div class="scroll">
        <table class="grid" data-fact="isolates">
          <caption>Does it know your session?</caption>
          <thead>
            <tr>
              <th scope="col">Kept by</th>
              {ISOLATES.map((isolate) => (
                <th scope="col">
                  <span class="spare">Isolate </span>
                  {isolate} <code class="hint" data-isolate-id={isolate} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Object.entries(STORES).map(([store, [title]]) => (
              <tr data-row={store}>
                <th scope="row">
                  <StoreTitle title={title} />
                  {store === 'kv' && (
                    <span class="hint"> at once here, up to a minute late on Cloudflare</span>
                  )}
                </th>
                {ISOLATES.map((isolate) => (
                  <td data-cell={isolate}>
                    <span class="hint">not asked</span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="row" data-fact="isolate-buttons">
        <Action name="ask">Ask all three</Action>
        <Action name="ask-every">Ask for every store</Action>
        {ISOLATES.map((isolate) => (
          <button type="button" data-action="visit-at" data-isolate={isolate}>
            Visit {isolate}
          </button>
        ))}
      </div>
      <p class="quiet">
        <span data-fact="isolate">–</span>
        <meter
          data-fact="meter"
          min="0"
          max={String(MAX_BYTES)}
          value="0"
          aria-label="Bytes that the MemoryStore of this isolate holds, of its bound"
        />
      </p>
    </Panel>
  )
}

/** The result of twenty changes at once, made in the two ways. */
export function Race(): JSX.Element {
  return (
    <Panel id="race" title="Twenty requests at once">
      <p>
        Twenty requests read a number, think for a moment and <code>set</code> one more. Twenty
        others <code>update</code> it. Of two that <code>set</code>, the last one wins, so counts
        are lost everywhere. <code>update</code> adds up in every store that can write on a
        condition: all but the cookie and KV.
      </p>
      <div class="scroll">
        <table class="grid race">
          <caption>How many of twenty were kept?</caption>
          <thead>
            <tr>
              <th scope="col">Kept by</th>
              <th scope="col">
                <code>set</code>
              </th>
              <th scope="col">
                <code>update</code>
              </th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(STORES).map(([store, [title]]) => (
              <tr data-race={store}>
                <th scope="row">
                  <StoreTitle title={title} />
                </th>
                <td data-way="set">
                  <span class="hint">not raced</span>
                </td>
                <td data-way="update">
                  <span class="hint">not raced</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="row">
        <Action name="race">Race</Action>
        <Action name="race-every">Race in every store</Action>
      </div>
    </Panel>
  )
}
