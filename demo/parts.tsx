import type { Child } from 'hono/jsx'
import type { JSX } from 'hono/jsx/jsx-runtime'

/** The frame of every page of the playground. No inline script, no inline style: the policy forbids both. */
export function Shell({
  title,
  script,
  children,
}: {
  title: string
  script?: string
  children?: Child
}): JSX.Element {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href="/favicon.svg" />
        <link rel="stylesheet" href="/playground.css" />
        {script && <script type="module" src={script} />}
      </head>
      <body>{children}</body>
    </html>
  )
}

export function Panel({ id, title, children }: { id: string; title: string; children?: Child }) {
  return (
    <section class={`panel panel-${id}`} aria-labelledby={id}>
      <h2 id={id} tabindex={-1}>
        {title}
      </h2>
      {children}
    </section>
  )
}

export function Action(props: {
  name: string
  isPrimary?: boolean
  children?: Child
}): JSX.Element {
  const { name, isPrimary, children } = props
  return (
    <button type="button" data-action={name} class={isPrimary ? 'primary' : undefined}>
      {children}
    </button>
  )
}

/** A class's name that may break where its words do. */
export function StoreTitle({ title }: { title: string }): JSX.Element {
  return (
    <span class="store-title">
      {title.split(/(?=[A-Z][a-z])/).map((word, index) => (
        <>
          {index > 0 && <wbr />}
          {word}
        </>
      ))}
    </span>
  )
}

export function Fact({ name, label }: { name: string; label: string }): JSX.Element {
  return (
    <>
      <dt>{label}</dt>
      <dd data-fact={name}>–</dd>
    </>
  )
}

export function Field({ name, label, value }: { name: string; label: string; value: string }) {
  return (
    <label class="field">
      {label} <input name={name} value={value} required autocomplete="off" />
    </label>
  )
}
