import { jsxRenderer } from 'hono/jsx-renderer'
import type { Session, SessionSummary } from 'isolate-session'

export type Data = { name: string; notice: string }
export type Note = { id: number; text: string }

const Action = ({ to, label }: { to: string; label: string }) => (
  <form method="post" action={to}>
    <button type="submit">{label}</button>
  </form>
)

export const layout = jsxRenderer(({ children }, c) => {
  const session: Session<Data> = c.get('session')
  const [name, notice] = [session.get('name'), session.get('notice')]
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Notes</title>
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <header>
          <a href="/">Notes</a>
          {name && <a href="/devices">Devices</a>}
          {name && <Action to="/sign-out" label={`Sign out ${name}`} />}
        </header>
        {notice && <p role="status">{notice}</p>}
        <main>{children}</main>
      </body>
    </html>
  )
})

export const SignIn = () => (
  <form method="post" action="/sign-in">
    <input name="name" placeholder="Name" autocomplete="username" required />
    <input name="password" type="password" placeholder="Password" required />
    <button type="submit">Sign in</button>
    <input type="submit" formaction="/register" value="Register" />
  </form>
)

export const Notes = ({ notes }: { notes: readonly Note[] }) => (
  <>
    <form method="post" action="/notes">
      <input name="text" placeholder="A new note" maxlength={1000} required />
      <button type="submit">Add</button>
    </form>
    <ul>
      {notes.map(({ id, text }) => (
        <li>
          <span>{text}</span> <Action to={`/notes/${id}/delete`} label="Delete" />
        </li>
      ))}
    </ul>
  </>
)

export const Devices = ({ devices, here }: { devices: SessionSummary[]; here: string }) => (
  <>
    <ul>
      {devices.map(({ id, createdAt }) => (
        <li>
          <span>Signed in {createdAt.toUTCString()}</span>
          {id === here ? 'this one' : <Action to={`/devices/${id}/end`} label="Sign out" />}
        </li>
      ))}
    </ul>
    {devices.length > 1 && <Action to="/devices/end-others" label="Sign out everywhere else" />}
  </>
)
