/** As `openssl rand -base64 32` makes them. New for every run: a secret that is in a repository is none. */
export function makeSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}
