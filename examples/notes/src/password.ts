import { timingSafeEqual } from 'hono/utils/buffer'

/** As many as workerd takes. OWASP asks for 600,000: see the README. */
const ITERATIONS = 100_000

const hex = (bytes: Uint8Array) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')

async function derive(password: string, salt: string) {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const raw = bytes(password.normalize('NFKC'))
  const key = await crypto.subtle.importKey('raw', raw, 'PBKDF2', false, ['deriveBits'])
  const way = { name: 'PBKDF2', hash: 'SHA-256', salt: bytes(salt), iterations: ITERATIONS }
  return hex(new Uint8Array(await crypto.subtle.deriveBits(way, key, 256)))
}

/** The stored form of a password: a random salt and the hash. */
export async function hashPassword(password: string) {
  const salt = hex(crypto.getRandomValues(new Uint8Array(16)))
  return `${salt}.${await derive(password, salt)}`
}

/** Takes as long for a user who does not exist, so that time does not tell who does. */
export async function verifyPassword(password: string, stored = 'nobody.') {
  const [salt = '', hash = ''] = stored.split('.')
  return timingSafeEqual(await derive(password, salt), hash)
}
