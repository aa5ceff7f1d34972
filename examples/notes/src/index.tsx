import { type Context, Hono } from 'hono'
import { csrf } from 'hono/csrf'
import { secureHeaders } from 'hono/secure-headers'
import { type SessionEnv, session } from 'isolate-session'
import { D1Store } from 'isolate-session/d1'
import { type Data, Devices, layout, type Note, Notes, SignIn } from './pages.js'
import { hashPassword, verifyPassword } from './password.js'

type Env = { Bindings: { DB: D1Database } } & SessionEnv<Data>
type User = { id: number; name: string; password: string }

const storeOf = (c: Context<Env>) => new D1Store(c.env.DB)
const sql = (c: Context<Env>, text: string, ...values: (string | number)[]) =>
  c.env.DB.prepare(text).bind(...values)

const app = new Hono<Env>()

app.use(secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'self'"] } }), csrf())
app.use(session<Data>({ store: storeOf }))
app.use(layout)

const field = async (c: Context<Env>, name: string) => String((await c.req.parseBody())[name] ?? '')

/** Back to a page, which shows the notice once. */
function back(c: Context<Env>, notice: string, to = '/') {
  c.var.session.flash('notice', notice)
  return c.redirect(to, 303)
}

function signIn(c: Context<Env>, user: User, notice: string) {
  c.var.session.signIn(String(user.id))
  c.var.session.set('name', user.name)
  return back(c, notice)
}

app.post('/register', async (c) => {
  const [name, password] = [await field(c, 'name'), await field(c, 'password')]
  const sound = /^\S{1,40}$/.test(name) && /^.{8,200}$/u.test(password)
  if (!sound) return back(c, 'A name without spaces, and a password of 8 characters or more.')
  const insert = 'INSERT OR IGNORE INTO users (name, password) VALUES (?, ?) RETURNING *'
  const user = await sql(c, insert, name, await hashPassword(password)).first<User>()
  return user ? signIn(c, user, `Welcome, ${user.name}!`) : back(c, 'That name is taken.')
})

app.post('/sign-in', async (c) => {
  const [name, password] = [await field(c, 'name'), await field(c, 'password')]
  const user = await sql(c, 'SELECT * FROM users WHERE name = ?', name).first<User>()
  const known = await verifyPassword(password.slice(0, 200), user?.password)
  if (!user || !known) return back(c, 'Name or password is wrong.')
  return signIn(c, user, `Welcome back, ${user.name}!`)
})

app.post('/sign-out', (c) => {
  c.var.session.destroy()
  return back(c, 'Signed out.')
})

app.get('/', async (c) => {
  const { owner } = c.var.session
  if (owner === undefined) return c.render(<SignIn />)
  const select = sql(c, 'SELECT id, text FROM notes WHERE user = ? ORDER BY id DESC', owner)
  return c.render(<Notes notes={(await select.all<Note>()).results} />)
})

// From here on only who is signed in.
app.use(async (c, next) =>
  c.var.session.owner === undefined ? back(c, 'Please sign in.') : next(),
)
const me = (c: Context<Env>) => c.var.session.owner as string

app.post('/notes', async (c) => {
  const text = await field(c, 'text')
  if (!/^.{1,1000}$/su.test(text)) return back(c, 'A note has 1 to 1,000 characters.')
  await sql(c, 'INSERT INTO notes (user, text) VALUES (?, ?)', me(c), text).run()
  return back(c, 'Noted.')
})

app.post('/notes/:id/delete', async (c) => {
  await sql(c, 'DELETE FROM notes WHERE id = ? AND user = ?', c.req.param('id'), me(c)).run()
  return back(c, 'Deleted.')
})

app.get('/devices', async (c) => {
  const devices = await storeOf(c).sessionsOf(me(c))
  return c.render(<Devices devices={devices} here={c.var.session.id ?? ''} />)
})

app.post('/devices/end-others', async (c) => {
  const ended = await storeOf(c).destroySessionsOf(me(c), { except: c.var.session })
  return back(c, `Signed out elsewhere: ${ended}.`, '/devices')
})

app.post('/devices/:id/end', async (c) => {
  const ended = await storeOf(c).destroySessionById(me(c), c.req.param('id'))
  return back(c, ended ? 'Signed out there.' : 'It was signed out already.', '/devices')
})

const scheduled = D1Store.scheduled((env: Env['Bindings']) => env.DB)
export default { fetch: app.fetch, scheduled }
