// Breaks the source in small, realistic ways, one at a time, and sees the named test go red: `npm run test:mutations`.
// With words behind it, only the mutations whose description holds one of them. Restores every file, also when interrupted.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Mutation {
  what: string
  /** Below src, without `.ts`. */
  file: string
  from: string
  to: string
  /** The test file, below test and without `.test.ts`, and the title of a test in it that has to fail. */
  caughtBy: [file: string, title: string]
}

const MUTATIONS: Mutation[] = [
  // What a session is
  {
    what: 'S2 get gives the data itself',
    file: 'session',
    from: 'return freezeJson(own(state.content.data, key))',
    to: 'return own(state.content.data, key)',
    caughtBy: ['session', 'is frozen before it was stored'],
  },
  {
    what: 'S2 values that were loaded are not frozen',
    file: 'json',
    from: 'Object.freeze(value)\n',
    to: '\n',
    caughtBy: ['session', 'gives a deep-frozen copy'],
  },
  {
    what: 'S2 inherited properties are read as data',
    file: 'content',
    from: 'return Object.hasOwn(record, key) ? record[key] : undefined',
    to: 'return record[key]',
    caughtBy: ['session', 'for what every object has'],
  },
  {
    what: 'S3 NaN is taken',
    file: 'json',
    from: 'if (!Number.isFinite(value)) throw',
    to: 'if (false) throw',
    caughtBy: ['session', 'refuses NaN'],
  },
  {
    what: 'S3 class instances are taken',
    file: 'json',
    from: 'if (prototype !== null && Object.getPrototypeOf(prototype) !== null)',
    to: 'if (false)',
    caughtBy: ['session', 'refuses a class instance'],
  },
  {
    what: 'S3 a __proto__ key in an object is taken',
    file: 'json',
    from: 'if (RESERVED_KEYS.has(name)) throw',
    to: 'if (false) throw',
    caughtBy: ['session', 'refuses a __proto__ key far down'],
  },
  {
    what: 'S3 a getter’s error comes through',
    file: 'json',
    from: 'throw error instanceof Refusal',
    to: 'throw error instanceof Error && !(error instanceof Refusal) ? error : error instanceof Refusal',
    caughtBy: ['session', 'refuses a getter that throws'],
  },
  {
    what: 'S3 the caller’s object is kept',
    file: 'session',
    from: 'const next = jsonCopy(value, key)\n',
    to: 'jsonCopy(value, key)\n    const next = value\n',
    caughtBy: ['session', 'a later change to the object'],
  },
  {
    what: 'S4 setting what is there is a change',
    file: 'session',
    from: 'if (same && !state.hasTouched(key)) return',
    to: '',
    caughtBy: ['session', 'setting what is there is none'],
  },
  {
    what: 'S4 setting what an update came to is forgotten',
    file: 'session',
    from: 'if (same && !state.hasTouched(key)) return',
    to: 'if (same) return',
    caughtBy: ['session', 'setting what an update has just come to'],
  },
  {
    what: 'S5 update stores its first result after a conflict',
    file: 'session',
    from: 'place(latest, key, compute(latest))',
    to: 'place(latest, key, next)',
    caughtBy: ['session', 'runs again on the latest value'],
  },
  {
    what: 'S6 a flash is not taken',
    file: 'session',
    from: 'if (state.isWritable) {',
    to: 'if (false) {',
    caughtBy: ['session', 'can be read in the request that left it, once'],
  },
  {
    what: 'S6 reading a flash takes a newer one',
    file: 'session',
    from: '?.token === flash.token',
    to: '',
    caughtBy: ['session', 'one and the same text left again'],
  },
  {
    what: 'S7 keep is not looked at',
    file: 'session',
    from: 'if (keep) this.#keepOnly(keep)',
    to: '',
    caughtBy: ['memory-store', 'S7 regenerate keeps only'],
  },
  {
    what: 'S7 regenerate changes nothing',
    file: 'session',
    from: "if (state.rotation !== 'signIn') state.rotation = rotation",
    to: '',
    caughtBy: ['memory-store', 'regenerate moves everything'],
  },
  {
    what: 'S8 signIn does not start the absolute lifetime again',
    file: 'session',
    from: 'content.createdAt = createdAt',
    to: '',
    caughtBy: ['session', 'starts the absolute lifetime again'],
  },
  {
    what: 'S8 owners are measured in characters',
    file: 'session',
    from: 'new TextEncoder().encode(owner).length',
    to: 'owner.length',
    caughtBy: ['session', '256 bytes in 128 characters'],
  },
  {
    what: 'S9 destroy leaves the data to see',
    file: 'session-state',
    from: 'this.content = emptyContent(this.content.name, this.content.createdAt)\n  }\n\n  /** Hands over',
    to: '}\n\n  /** Hands over',
    caughtBy: ['session', 'leaves nothing to see'],
  },
  {
    what: 'S10 expireIn takes anything',
    file: 'session',
    from: '!(Number.isFinite(seconds) && seconds > 0)',
    to: 'false',
    caughtBy: ['session', 'expireIn(NaN) throws'],
  },
  {
    what: 'S12 mutators work after the response',
    file: 'session-state',
    from: "return this.phase === 'open' || this.phase === 'late'",
    to: 'return true',
    caughtBy: ['middleware', 'every mutator throws'],
  },
  {
    what: 'S12 a late change of id is taken',
    file: 'session',
    from: 'state.assertCookieCanBeSent()',
    to: '',
    caughtBy: ['middleware', 'save(change) throws for a session whose cookie never went out'],
  },
  {
    what: 'S12 a late save extends the record',
    file: 'session-state',
    from: "const cookieFollows = this.phase === 'open' || this.phase === 'settling'",
    to: 'const cookieFollows = true',
    caughtBy: ['middleware', 'does not run ahead'],
  },
  {
    what: 'S5 what an update throws is taken for a failure of the store',
    file: 'errors',
    from: 'if (isNoneOfTheBackend || cause instanceof SessionError) return cause',
    to: 'if (cause instanceof SessionError) return cause',
    caughtBy: ['middleware', 'is answered with its own error'],
  },
  // What a store does
  {
    what: 'T1 malformed values are looked up',
    file: 'keyed-store',
    from: 'if (!this.isWellFormed(cookieValue)) return undefined',
    to: '',
    caughtBy: ['keyed-store', 'costs no I/O and no hashing'],
  },
  {
    what: 'T3 the cookie value is the id',
    file: 'crypto',
    from: "return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(value))))",
    to: 'return value',
    caughtBy: ['keyed-store', 'never sees a cookie value'],
  },
  {
    what: 'T4 any last character will do',
    file: 'crypto',
    from: '[AEIMQUYcgkosw048]$',
    to: '[\\w-]$',
    caughtBy: ['keyed-store', 'costs no I/O and no hashing'],
  },
  {
    what: 'T5 a taken id is not tried again',
    file: 'conditional-write',
    from: 'const MAX_INSERTS = 4',
    to: 'const MAX_INSERTS = 1',
    caughtBy: ['memory-store', 'an insert never overwrites'],
  },
  {
    what: 'T6 an expired session is written',
    file: 'session-state',
    from: "if (rotation !== 'signIn' && isExpired(before, now)) throw sessionGone()",
    to: '',
    caughtBy: ['keyed-store', 'a write does not bring back a session that has expired'],
  },
  {
    what: 'T6 a session that is gone is made again',
    file: 'conditional-write',
    from: '    base = rebase(latest, write)\n  }\n  throw conflict()\n}\n\nasync function rotate',
    to: '    if (!latest) {\n      await backend.insert(id, next)\n      return state.complete(write, { id, record: next }, content)\n    }\n    base = rebase(latest, write)\n  }\n  throw conflict()\n}\n\nasync function rotate',
    caughtBy: ['memory-store', 'a write does not bring back a session that was destroyed'],
  },
  {
    what: 'T7 changes are not applied again',
    file: 'conditional-write',
    from: 'for (const change of changes) callersTurn(() => change.apply(content))',
    to: '',
    caughtBy: ['interleavings', 'random interleavings'],
  },
  {
    what: 'T7 a lost reply is not recognised',
    file: 'conditional-write',
    from: 'if (latest?.version === next.version) {',
    to: 'if (false) {',
    caughtBy: ['keyed-store', 'is recognised by its version'],
  },
  {
    what: 'T8 a rotation that fails leaves its record',
    file: 'conditional-write',
    from: 'await backend.remove(stored.id).catch(() => false)',
    to: '',
    caughtBy: ['keyed-store', 'leaves no second record behind'],
  },
  {
    what: 'T8 a rotation removes whatever is there',
    file: 'conditional-write',
    from: 'await backend.remove(old.id, base.record.version)',
    to: 'await backend.remove(old.id)',
    caughtBy: ['memory-store', 'takes along what another request has stored'],
  },
  {
    what: 'S8 a sign-in falls with the session it came from',
    file: 'conditional-write',
    from: "if (write.rotation === 'signIn' && !contentOf(latest)) {",
    to: 'if (false) {',
    caughtBy: ['memory-store', 'signIn stands although'],
  },
  {
    what: 'T9 the end itself is still alive',
    file: 'session-record',
    from: 'isInstant(expiry) && expiry > now',
    to: 'isInstant(expiry) && expiry >= now',
    caughtBy: ['memory-store', 'an expired session is no session'],
  },
  {
    what: 'T9 senseless times live for ever',
    file: 'session-record',
    from: 'return expiry !== null && !(isInstant(expiry) && expiry > now)',
    to: 'return isInstant(expiry) && expiry <= now',
    caughtBy: ['keyed-store', 'expiry as text'],
  },
  {
    what: 'T9 a session from the future is taken',
    file: 'session-record',
    from: 'content && content.createdAt <= now + MAX_CLOCK_SKEW ? content : undefined',
    to: 'content',
    caughtBy: ['keyed-store', 'createdAt in the far future'],
  },
  {
    what: 'T10 bodies of another format are read',
    file: 'session-record',
    from: 'if (parsed?.v !== FORMAT) return undefined',
    to: 'if (!parsed) return undefined',
    caughtBy: ['keyed-store', 'another format version'],
  },
  {
    what: 'T12 bytes are counted as characters',
    file: 'crypto',
    from: 'return utf8(text).length',
    to: 'return text.length',
    caughtBy: ['keyed-store', 'is exact to the byte'],
  },
  {
    what: 'O1 owners are listed once',
    file: 'keyed-store',
    from: 'ended += doomed.filter',
    to: 'return doomed.filter',
    caughtBy: ['keyed-store', 'found by the next'],
  },
  {
    what: 'O1 anybody’s session can be ended by id',
    file: 'keyed-store',
    from: 'record?.owner !== owner || ',
    to: '!record || ',
    caughtBy: ['memory-store', 'only its owner’s'],
  },
  {
    what: 'O1 devices are listed in any order',
    file: 'keyed-store',
    from: '.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())',
    to: '',
    caughtBy: ['memory-store', 'newest first'],
  },
  {
    what: 'O2 every store has the methods',
    file: 'keyed-store',
    from: 'if (!this.recordsOf) return',
    to: '',
    caughtBy: ['keyed-store', 'has none of the three'],
  },
  {
    what: 'T11 destroySession removes nothing',
    file: 'keyed-store',
    from: "await this.ask('remove a session', () => this.remove(stored.id))",
    to: '',
    caughtBy: ['memory-store', 'T11 destroySession ends'],
  },
  {
    what: 'T13 loads of one record share their data',
    file: 'session-record',
    from: 'const parsed = parseObject(body)',
    to: 'const shared = globalThis as { memo?: Record<string, Record<string, unknown> | undefined> }\n  shared.memo ??= {}\n  const parsed = (shared.memo[body] ??= parseObject(body))',
    caughtBy: ['memory-store', 'T13 every load gives a copy'],
  },
  // CookieStore and signatures
  {
    what: 'C1 the frame is not authenticated',
    file: 'seal',
    from: 'joined(CONTEXT, frame)',
    to: 'CONTEXT',
    caughtBy: ['golden', 'a seal is made and opened as it was'],
  },
  {
    what: 'C1 all seals of a secret share a key',
    file: 'seal',
    from: 'salt: crypto.getRandomValues(new Uint8Array(SALT_BYTES))',
    to: 'salt: new Uint8Array(SALT_BYTES)',
    caughtBy: ['cookie-store', 'is made with a 256-bit key of its own'],
  },
  {
    what: 'C1 keys of seals are kept for ever',
    file: 'secrets',
    from: 'if (latest.size < limit) break',
    to: 'break',
    caughtBy: ['cookie-store', 'leaves its key behind only for so long'],
  },
  {
    what: 'C2 short secrets are taken',
    file: 'secrets',
    from: 'if (utf8(secret).length < MIN_SECRET_BYTES) {',
    to: 'if (false) {',
    caughtBy: ['cookie-store', '31 bytes: refused'],
  },
  {
    what: 'C2 placeholders are taken',
    file: 'secrets',
    from: 'PLACEHOLDER.test(words) || PUBLISHED.has(words)',
    to: 'false',
    caughtBy: ['cookie-store', 'keyboard cat: refused'],
  },
  {
    what: 'C2 the last secret seals',
    file: 'cookie-store',
    from: 'await seal(toText({ id, record }), this.#secrets[0])',
    to: "await seal(toText({ id, record }), this.#secrets.at(-1) ?? '')",
    caughtBy: ['cookie-store', 'the first seals, all open'],
  },
  {
    what: 'C2 what an older secret has opened is not sealed again',
    file: 'cookie-store',
    from: 'state.isOutdated = opened.secret !== this.#secrets[0]',
    to: '',
    caughtBy: ['cookie-store', 'the first seals, all open'],
  },
  {
    what: 'C3 a seal that does not open is an error',
    file: 'seal',
    from: '    } catch {\n      return undefined\n    }\n  }',
    to: '    } catch (error) {\n      throw error\n    }\n  }',
    caughtBy: ['cookie-store', 'every single bit of it'],
  },
  {
    what: 'C3 keys are tried one after the other',
    file: 'seal',
    from: 'if (!keys.id.every((byte, i) => byte === frame[1 + i])) continue',
    to: '',
    caughtBy: ['cookie-store', 'a key that nobody has is not tried'],
  },
  {
    what: 'C3 other spellings of base64url are read',
    file: 'crypto',
    from: 'return isCanonical ? bytes : undefined',
    to: 'return bytes',
    caughtBy: ['signature', 'of a shape that nobody signed costs no HMAC'],
  },
  {
    what: 'M10 a signature is not bound to the cookie’s name',
    file: 'signature',
    from: 'v1\\0${cookieName}\\0${value}',
    to: 'v1\\0${value}',
    caughtBy: ['signature', 'is bound to the cookie’s name'],
  },
  {
    what: 'M10 an old signature is kept',
    file: 'visit',
    from: 'this.#sendsCookie = !signed.isCurrent',
    to: '',
    caughtBy: ['signature', 'by a secret that is older is accepted'],
  },
  {
    what: 'M10 missing secrets are found out when everything is stored',
    file: 'visit',
    from: 'this.#openSigner() // secrets',
    to: '// secrets',
    caughtBy: ['signature', 'before anything is stored'],
  },
  {
    what: 'M10 secrets that are undefined sign nothing',
    file: 'middleware',
    from: "'secrets' in options ? signerOf(secrets) : undefined",
    to: 'secrets ? signerOf(secrets) : undefined',
    caughtBy: ['signature', 'throws when the middleware is made'],
  },
  // Stores on Cloudflare
  {
    what: 'T7 D1 replaces any version',
    file: 'sql-store',
    from: 'WHERE id = ? AND version = ? AND (expiry',
    to: 'WHERE id = ? AND (version = ? OR 1) AND (expiry',
    caughtBy: ['stores/d1', 'concurrent changes of different keys'],
  },
  {
    what: 'T5 D1 overwrites on insert',
    file: 'stores/d1',
    from: 'ON CONFLICT DO NOTHING',
    to: 'ON CONFLICT DO UPDATE SET body = excluded.body',
    caughtBy: ['stores/d1', 'an insert never overwrites'],
  },
  {
    what: 'D1 is read from a replica',
    file: 'stores/d1',
    from: "(isRead && this.#db.withSession?.('first-primary')) || this.#db",
    to: 'this.#db',
    caughtBy: ['stores/d1', 'reads from the primary'],
  },
  {
    what: 'D1 is cleaned of what lives',
    file: 'stores/d1',
    from: 'WHERE expiry <= ? LIMIT ${limit}',
    to: 'WHERE expiry <= ? + 100000 LIMIT ${limit}',
    caughtBy: ['stores/d1', 'cleanup() removes what has expired'],
  },
  // Stores with a server
  {
    what: 'T6 SQL brings back what has expired meanwhile',
    file: 'sql-store',
    from: ' AND (expiry IS NULL OR expiry > ?)`',
    to: ' AND (expiry IS NULL OR expiry > ? OR 1 = 1)`',
    caughtBy: ['servers/postgres', 'a write that was decided before the session expired'],
  },
  {
    what: 'T8 SQL removes any version',
    file: 'sql-store',
    from: '`${sql} AND version = ?`',
    to: '`${sql} AND version <> ?`',
    caughtBy: ['servers/postgres', 'of two rotations at once one wins'],
  },
  {
    what: 'T9 an expiry that comes as text is no expiry',
    file: 'sql-store',
    from: 'expiry === null ? null : Number(expiry)',
    to: 'expiry',
    caughtBy: ['servers/postgres', 'a visitor is recognised on the next visit'],
  },
  {
    what: 'a missing table is told as any other error',
    file: 'stores/postgres',
    from: "codeOf(error) === '42P01'",
    to: 'false',
    caughtBy: ['servers/postgres', 'a table that is missing is told as that'],
  },
  {
    what: 'PostgreSQL is read from Hyperdrive’s cache',
    file: 'stores/postgres',
    from: "owner, body, now()'",
    to: "owner, body'",
    caughtBy: ['servers/postgres', 'so that Hyperdrive does not answer from its cache'],
  },
  {
    what: 'PostgreSQL cuts the names of indexes',
    file: 'stores/postgres',
    from: 'longestTable: 56',
    to: 'longestTable: 63',
    caughtBy: ['servers/postgres', 'one as long as can be'],
  },
  {
    what: 'T5 MySQL overwrites on insert',
    file: 'stores/mysql',
    from: "ifAbsent: ''",
    to: "ifAbsent: ' ON DUPLICATE KEY UPDATE body = VALUES(body)'",
    caughtBy: ['servers/mysql', 'an insert never overwrites'],
  },
  {
    what: 'T5 MySQL reports a taken id as an error',
    file: 'stores/mysql',
    from: 'errnoOf(error) === DUPLICATE',
    to: 'false',
    caughtBy: ['servers/mysql', 'an insert never overwrites'],
  },
  {
    what: 'O1 MySQL takes one owner for another',
    file: 'stores/mysql',
    from: 'owner VARBINARY(255)',
    to: 'owner VARCHAR(255)',
    caughtBy: ['servers/mysql', 'owners and ids that differ in case'],
  },
  {
    what: 'T7 Redis replaces any version',
    file: 'stores/redis',
    from: ' or not begins(expected) then return false',
    to: ' then return false',
    caughtBy: ['servers/redis', 'concurrent changes of different keys'],
  },
  {
    what: 'T6 Redis writes where nothing is',
    file: 'stores/redis',
    from: "if (old == '') ~= (expected == '') or not begins(expected)",
    to: "if old ~= '' and not begins(expected)",
    caughtBy: ['servers/redis', 'a write does not bring back a session that was destroyed'],
  },
  {
    what: 'Redis keeps what has no time to live for ever',
    file: 'stores/redis',
    from: 'Math.max(1, Math.ceil(expiry - Date.now()))',
    to: 'Math.ceil((expiry - Date.now()) / 1000) * 1000',
    caughtBy: ['servers/redis', 'less than a second to live'],
  },
  {
    what: 'O1 Redis forgets to extend the index',
    file: 'stores/redis',
    from: 'before.expiry !== record.expiry',
    to: 'before.expiry === 0',
    caughtBy: ['servers/redis', 'a session that was extended is extended in the index'],
  },
  {
    what: 'O1 Redis does not index a session whose insert was repeated',
    file: 'stores/redis',
    from: "if text and begins(mine) then return '{}' end",
    to: '',
    caughtBy: ['servers/redis', 'a call that is made again because its reply was lost'],
  },
  {
    what: 'T14 Redis clears what begins with its prefix',
    file: 'stores/redis',
    from: 'isValueShaped(key.slice(this.#prefix.length))',
    to: 'isValueShaped(key.slice(-43))',
    caughtBy: ['servers/redis', 'clearStore() and count() see what the prefix begins'],
  },
  {
    what: 'T14 Redis reads a pattern into the prefix',
    file: 'stores/redis',
    from: "this.#prefix.replace(/[\\\\*?[\\]^]/g, '\\\\$&')",
    to: 'this.#prefix',
    caughtBy: ['servers/redis', 'clearStore() and count() see what the prefix begins'],
  },
  {
    what: 'Redis sends the text of a script every time',
    file: 'stores/redis',
    from: "return await this.#send('EVALSHA', hash, '1', key, ...values)",
    to: "return await this.#send('EVAL', text, '1', key, ...values)",
    caughtBy: ['servers/redis', 'sends the text of a script once'],
  },
  {
    what: 'S13 errors hold what was sent',
    file: 'stores/redis',
    from: "Reflect.deleteProperty(error, 'command')",
    to: '',
    caughtBy: ['servers/redis', 'an error holds nothing of what was sent'],
  },
  {
    what: 'S13 errors of HTTP clients hold what was sent',
    file: 'stores/redis',
    from: "error.message = error.message.replace(SENT, '')",
    to: '',
    caughtBy: ['servers/redis', 'an error holds nothing of what was sent'],
  },
  {
    what: 'T6 MongoDB inserts what it does not find',
    file: 'stores/mongodb',
    from: 'replaceOne(filter, toDocument(id, record))',
    to: 'replaceOne({ _id: id }, toDocument(id, record))',
    caughtBy: ['servers/mongodb', 'concurrent changes of different keys'],
  },
  {
    what: 'T6 MongoDB brings back what has expired meanwhile',
    file: 'stores/mongodb',
    from: '{ _id: id, version, $or: isLive }',
    to: '{ _id: id, version }',
    caughtBy: ['servers/mongodb', 'a write that was decided before the session expired'],
  },
  {
    what: 'MongoDB’s TTL index is given a number',
    file: 'stores/mongodb',
    from: 'expiry: expiry === null ? null : new Date(expiry)',
    to: 'expiry: expiry as never',
    caughtBy: ['servers/mongodb', 'a document is as the documentation says'],
  },
  {
    what: 'M12 a store that cannot be opened is an error of its own',
    file: 'store-of-request',
    from: "throw storeFailed('open', error)",
    to: 'throw error',
    caughtBy: ['middleware', 'M12 a store that cannot be opened'],
  },
  {
    what: 'KV is given a time to live that it does not take',
    file: 'stores/kv',
    from: 'Math.max(MIN_TTL, ',
    to: 'Math.max(1, ',
    caughtBy: ['stores/kv', 'a session with 59 s left'],
  },
  {
    what: 'T14 KV clears what begins with its prefix',
    file: 'stores/kv',
    from: 'page.keys.filter(({ name }) => isValueShaped(name.slice(this.#prefix.length)))',
    to: 'page.keys.filter(({ name }) => isValueShaped(name.slice(-43)))',
    caughtBy: ['stores/kv', 'prefixes of which one begins'],
  },
  {
    what: 'KV gives up when it was too fast',
    file: 'stores/kv',
    from: 'if (!TOO_MANY.test(String(error))) throw error',
    to: 'if (error) throw error',
    caughtBy: ['stores/kv', 'waits a second'],
  },
  {
    what: 'T7 a Durable Object replaces any version',
    file: 'stores/durable-object',
    from: 'before?.version !== version ||',
    to: '!before ||',
    caughtBy: ['stores/durable-object', 'concurrent changes of different keys'],
  },
  {
    what: 'a Durable Object stays for ever',
    file: 'stores/durable-object',
    from: 'if (record || expired.length === sessions.size) return this.#forget()',
    to: '',
    caughtBy: ['stores/durable-object', 'an alarm at expiry removes'],
  },
  {
    what: 'an owner’s entry stays when the session is gone',
    file: 'stores/durable-object',
    from: 'object.dropSessions([id]))',
    to: 'object.listSessions())',
    caughtBy: ['stores/durable-object', 'destroying leaves nothing behind'],
  },
  {
    what: 'T14 names of Durable Objects run into each other',
    file: 'stores/durable-object',
    from: '`${this.#prefix} owner ${owner}`',
    to: '`${this.#prefix}owner ${owner}`.replace(/^(.*\\/)(owner |owner)*/, "$1owner ")',
    caughtBy: ['stores/durable-object', 'two prefixes do not meet'],
  },
  {
    what: 'a Durable Object takes a repeated call for another',
    file: 'stores/durable-object',
    from: 'if (before) return before.version === record.version',
    to: 'if (before) return false',
    caughtBy: ['stores/durable-object', 'a step whose reply was lost'],
  },
  {
    what: 'a cache keeps what was loaded during a sign-out',
    file: 'stores/caching',
    from: 'for (const id of [...(partOf(this.#cache).owners.get(owner) ?? [])]) this.#passBy(id)',
    to: '',
    caughtBy: ['stores/caching', 'while everyone is signed out'],
  },
  {
    what: 'a cache is not told of a write',
    file: 'stores/caching',
    from: 'if (stored) this.#passBy(stored.id)\n    return this.#store.storeSession(session)',
    to: 'return this.#store.storeSession(session)',
    caughtBy: ['stores/caching', 'what is done in this isolate is seen at once'],
  },
  {
    what: 'a cache takes in what was loaded before a write',
    file: 'stores/caching',
    from: 'if (known && !isExpired(known.expiry, now)) return',
    to: '',
    caughtBy: ['stores/caching', 'a load that was under way'],
  },
  // MemoryStore
  {
    what: 'Y1 all names are one',
    file: 'memory-store',
    from: 'partNamed(name)',
    to: "partNamed('default')",
    caughtBy: ['memory-store', 'with another name see none'],
  },
  {
    what: 'Y3 reading does not count as use',
    file: 'memory-store',
    from: 'records.delete(id)\n    records.set(id, record)\n    return record',
    to: 'return record',
    caughtBy: ['memory-store', 'the least recently used goes first'],
  },
  {
    what: 'Y3 nothing is swept',
    file: 'memory-part',
    from: 'sweep(part, SWEEP_STEP)',
    to: '',
    caughtBy: ['memory-store', 'reclaimed without cleanup()'],
  },
  {
    what: 'Y3 the sweep follows what is read for ever',
    file: 'memory-part',
    from: '|| part.sweepLeft-- <= 0',
    to: '',
    caughtBy: ['memory-store', 'reclaimed without cleanup()'],
  },
  {
    what: 'Y3 live sessions go before expired ones',
    file: 'memory-part',
    from: 'if (isOver(part)) sweep(part, FULL_SWEEP)',
    to: '',
    caughtBy: ['memory-store', 'an expired one goes before any that lives'],
  },
  {
    what: 'Y3 bytes are only added up',
    file: 'memory-part',
    from: 'part.bytes -= weigh(record)',
    to: '',
    caughtBy: ['memory-store', 'bytes come back to nothing'],
  },
  {
    what: 'Y4 a promise is kept',
    file: 'memory-part',
    from: 'bytes: 0,\n      maxSessions: 0,',
    to: 'bytes: 0,\n      ...{ pending: Promise.resolve() },\n      maxSessions: 0,',
    caughtBy: ['memory-store', 'only plain values are kept'],
  },
  // The middleware
  {
    what: 'M2 a session is loaded twice',
    file: 'visit',
    from: 'session = await store.loadSession(value)',
    to: 'await store.loadSession(value)\n      session = await store.loadSession(value)',
    caughtBy: ['middleware', 'is loaded once, before the handler'],
  },
  {
    what: 'M3 a session that was only read is stored',
    file: 'session-state',
    from: "return due ? 'extended' : 'unchanged'",
    to: "return stored ? 'extended' : 'unchanged'",
    caughtBy: ['middleware', 'a thousand reads within touchAfter'],
  },
  {
    what: 'M8 an unknown cookie is removed',
    file: 'visit',
    from: 'if (destroyed) {',
    to: 'if (destroyed || (this.#cameWithCookie && this.#value === undefined)) {',
    caughtBy: ['middleware', 'is left alone until something is written'],
  },
  {
    what: 'M20 the store is made for every step',
    file: 'visit',
    from: 'this.#store ??= await storeOfRequest(',
    to: 'this.#store = await storeOfRequest(',
    caughtBy: ['middleware', 'asked once in a request that needs it'],
  },
  {
    what: 'S11 save() leaves it to the end',
    file: 'session',
    from: 'await state.save()',
    to: '',
    caughtBy: ['middleware', 'stores now, and the cookie goes out'],
  },
  {
    what: 'S13 toJSON shows the data',
    file: 'session',
    from: 'return { id, isNew, createdAt: createdAt.toISOString(),',
    to: 'return { ...this.#state.content.data, id, isNew, createdAt: createdAt.toISOString(),',
    caughtBy: ['session', 'toJSON has what may be logged'],
  },
  {
    what: 'M1 a store is made for everyone',
    file: 'visit',
    from: "const header = this.#c.req.raw.headers.get('Cookie')",
    to: "storeOfRequest(this.#settings.store, this.#c)\n    const header = this.#c.req.raw.headers.get('Cookie')",
    caughtBy: ['middleware', 'makes no store'],
  },
  {
    what: 'M4 a cookie with a domain is called __Host-',
    file: 'cookie',
    from: "this.#hostOnly = path === '/' && domain === undefined",
    to: "this.#hostOnly = path === '/'",
    caughtBy: ['middleware', 'is written so'],
  },
  {
    what: 'M5 any host that begins like localhost is loopback',
    file: 'cookie',
    from: '(?::\\d+)?(?:[/?#]|$)/',
    to: '/',
    caughtBy: ['middleware', 'is Secure by the URL alone'],
  },
  {
    what: 'M6 the removal cookie has no attributes',
    file: 'cookie',
    from: "return this.#line(this.nameFor(url), '', '; Max-Age=0', url)",
    to: 'return `${this.nameFor(url)}=; Max-Age=0; Path=/`',
    caughtBy: ['middleware', 'is removed under the same name and attributes'],
  },
  {
    what: 'M6 a cookie of any size is sent',
    file: 'cookie',
    from: 'if (name.length + value.length > MAX_COOKIE_BYTES) {',
    to: 'if (false) {',
    caughtBy: ['middleware', 'is never larger than a browser takes'],
  },
  {
    what: 'M6 two cookies of our name go out',
    file: 'response',
    from: 'if (others.some((other) => other.startsWith(name))) {',
    to: 'if (false) {',
    caughtBy: ['middleware', 'a mounted app, with one cookie'],
  },
  {
    what: 'M7 contradictions are not seen',
    file: 'cookie',
    from: 'if (!condition) throw',
    to: 'if (false) throw',
    caughtBy: ['middleware', 'SameSite=None without Secure'],
  },
  {
    what: 'M7 an unknown option is taken',
    file: 'check-options',
    from: 'if (Object.hasOwn(known, name)) continue',
    to: 'continue',
    caughtBy: ['options', 'of MemoryStore is refused by name'],
  },
  {
    what: 'M7 an option under a name that every object has is taken',
    file: 'check-options',
    from: 'Object.hasOwn(known, name)',
    to: 'name in known',
    caughtBy: ['options', 'under the name constructor'],
  },
  {
    what: 'M7 a value of the wrong type is taken',
    file: 'check-options',
    from: 'if (!fits(value)) throw',
    to: 'if (false) throw',
    caughtBy: ['options', 'cookie, path'],
  },
  {
    what: 'M7 options that are no object are taken',
    file: 'check-options',
    from: 'if (!OBJECT.test(Object.prototype.toString.call(options))) throw',
    to: 'if (options === null) throw',
    caughtBy: ['options', 'are refused by MemoryStore'],
  },
  {
    what: 'M7 the message shows whatever stands where a name should',
    file: 'check-options',
    from: 'NAME.test(name) ?',
    to: 'true ?',
    caughtBy: ['options', 'shows neither a value nor a name that may be one'],
  },
  {
    what: 'M7 inherited options are not read',
    file: 'check-options',
    from: 'const value = (options as Record<string, unknown>)[name]',
    to: 'const value = Object.hasOwn(options, name) ? (options as Record<string, unknown>)[name] : undefined',
    caughtBy: ['options', 'inherited options are options like others'],
  },
  {
    what: 'M7 an undefined option is one of the wrong type',
    file: 'check-options',
    from: 'if (value === undefined && !isRequired) continue',
    to: 'if (!(name in options) && !isRequired) continue',
    caughtBy: ['options', 'and with those that are undefined'],
  },
  {
    what: 'M7 other libraries’ names are not known',
    file: 'option-advice',
    from: 'HABITS.find(([pattern]) => pattern.test(name))?.[1]',
    to: 'undefined as string | undefined',
    caughtBy: ['options', 'spelled encryptionKey'],
  },
  {
    what: 'M7 misspelt options are not recognised',
    file: 'option-advice',
    from: 'Math.min(3, name.length / 2)',
    to: '0',
    caughtBy: ['options', 'spelled maxSession,'],
  },
  {
    what: 'M7 a class passes for a function that makes a store',
    file: 'options',
    from: '&& !isStore(value.prototype)',
    to: '',
    caughtBy: ['options', 'a class in place of a store'],
  },
  {
    what: 'M7 a store keeps what it does not know to itself: KVStore',
    file: 'stores/kv',
    from: "checkOptions('KVStore', options)",
    to: 'options ?? ({} as KVStoreOptions)',
    caughtBy: ['options', 'of KVStore, spelled name'],
  },
  {
    what: 'M7 D1Store.scheduled looks at its options when it runs',
    file: 'stores/d1',
    from: "    checkOptions('D1Store', options)\n",
    to: '',
    caughtBy: ['options', 'of D1Store.scheduled is refused where it is called'],
  },
  {
    what: 'M7 a pause as long as the idle timeout is taken',
    file: 'middleware',
    from: 'touchAfter >= idleTimeout',
    to: 'touchAfter > idleTimeout',
    caughtBy: ['options', 'touchAfter not shorter than the idle timeout: equal'],
  },
  {
    what: 'M7 an idle timeout in milliseconds is taken',
    file: 'middleware',
    from: 'if (idleTimeout && absoluteTimeout && idleTimeout > absoluteTimeout)',
    to: 'if (false)',
    caughtBy: ['options', 'longer than the absolute one: in milliseconds'],
  },
  {
    what: 'M7 a short absolute timeout contradicts the default',
    file: 'middleware',
    from: 'idleTimeout = Math.min(86_400, absoluteTimeout || Number.POSITIVE_INFINITY)',
    to: 'idleTimeout = 86_400',
    caughtBy: ['options', 'none: an absolute timeout shorter than the default idle one'],
  },
  {
    what: 'M7 a name may begin with a prefix of cookies',
    file: 'cookie',
    from: "!name.startsWith('__')",
    to: "!name.startsWith('__Host-')",
    caughtBy: ['options', 'name __session'],
  },
  {
    what: 'M7 a domain may end with a dot',
    file: 'cookie',
    from: '(\\.[\\w-]+)*$/',
    to: '(\\.[\\w-]*)*$/',
    caughtBy: ['options', 'domain "shop.example."'],
  },
  {
    what: 'M8 a domain has no underscore',
    file: 'cookie',
    from: '/^\\.?[\\w-]+(',
    to: '/^\\.?[A-Za-z0-9-]+(',
    caughtBy: ['options', 'domain my_team.example.com is fine'],
  },
  {
    what: 'M6 SameSite goes out as it was spelled',
    file: 'cookie',
    from: 'const sameSite = `${policy.charAt(0).toUpperCase()}${policy.slice(1).toLowerCase()}`',
    to: 'const sameSite: string = policy',
    caughtBy: ['options', 'lax goes out as Lax'],
  },
  {
    what: 'M9 the first of several cookies is taken',
    file: 'cookie',
    from: 'if (found !== undefined && found !== value) return AMBIGUOUS',
    to: 'if (found !== undefined) return found',
    caughtBy: ['middleware', 'several different values are no session'],
  },
  {
    what: 'M9 names are compared without case',
    file: 'cookie',
    from: 'let at = header.indexOf(prefix); at',
    to: 'let at = header.toLowerCase().indexOf(prefix.toLowerCase()); at',
    caughtBy: ['middleware', 'a look-alike is not ours'],
  },
  {
    what: 'M11 a value is accepted under any name',
    file: 'visit',
    from: 'if (!session || stateOf(session).content.name !== this.#settings.name) {',
    to: 'if (!session) {',
    caughtBy: ['middleware', 'do not accept each other’s values'],
  },
  {
    what: 'M12 a store that is down makes strangers',
    file: 'visit',
    from: "throw storeFailed('load a session', error)",
    to: 'session = undefined',
    caughtBy: ['middleware', 'on load is an error'],
  },
  {
    what: 'M13 the response does not wait',
    file: 'visit',
    from: 'await this.#keepAlive(this.#write())',
    to: 'void this.#keepAlive(this.#write())',
    caughtBy: ['middleware', 'is finished before the response is returned'],
  },
  {
    what: 'M13 the write is not handed to waitUntil',
    file: 'visit',
    from: 'this.#c.executionCtx.waitUntil(work.catch(() => {}))',
    to: '',
    caughtBy: ['middleware', 'handed to waitUntil'],
  },
  {
    what: 'M14 every request extends',
    file: 'lifetime',
    from: 'if (rolled - expiry < Math.ceil(touchAfter(timing, lifetime) * 1000)) return false',
    to: '',
    caughtBy: ['middleware', 'at most once per touchAfter'],
  },
  {
    what: 'M14 activity goes past the absolute timeout',
    file: 'lifetime',
    from: 'return cappedExpiry(timing.fixed ?? instant(idleEnd(timing, lifetime, now)), timing, lifetime)',
    to: 'return timing.fixed ?? instant(idleEnd(timing, lifetime, now))',
    caughtBy: ['middleware', 'never goes past the absolute timeout'],
  },
  {
    what: 'M14 a shorter absolute timeout waits for a write',
    file: 'visit',
    from: "if (this.#state.isExpired(Date.now())) return this.#reject('unknown')",
    to: 'this.#manage(session)',
    caughtBy: ['middleware', 'a shorter absolute timeout after a deployment'],
  },
  {
    what: 'M15 a failed request is stored',
    file: 'visit',
    from: 'const failed = c.error !== undefined && c.res.status >= 500',
    to: 'const failed = false',
    caughtBy: ['middleware', 'and ends in a 5xx stores no set'],
  },
  {
    what: 'M15 a failed request extends its session',
    file: 'visit',
    from: "failed ? state.ending : state.status(Date.now()) !== 'unchanged'",
    to: "state.status(Date.now()) !== 'unchanged'",
    caughtBy: ['faults', 'whichever step fails'],
  },
  {
    what: 'M15 a failed request does not sign out',
    file: 'visit',
    from: 'if (failed) state.discard()',
    to: 'if (failed) state.ending = false',
    caughtBy: ['middleware', 'still ends the session: destroy'],
  },
  {
    what: 'M16 immutable headers are an error',
    file: 'response',
    from: 'const copy = new Response(c.res.body, c.res)',
    to: 'throw new Error("immutable")\n    const copy = new Response(c.res.body, c.res)',
    caughtBy: ['middleware', 'a response with immutable headers'],
  },
  {
    what: 'M17 a look leaves no trace in the headers',
    file: 'visit',
    from: 'if (line !== undefined || this.#state.looked) personalize(this.#c, line)',
    to: 'if (line !== undefined) personalize(this.#c, line)',
    caughtBy: ['middleware', 'a handler that looks (has)'],
  },
  {
    what: 'M17 public stays public',
    file: 'response',
    from: "const shares = name === 'public' || name === 's-maxage'",
    to: "const shares = name === 's-maxage'",
    caughtBy: ['middleware', 'Cache-Control "public" becomes'],
  },
  {
    what: 'M17 a response with a cookie may be stored',
    file: 'response',
    from: 'setsCookie ? noStore(asked) : privately(asked)',
    to: 'privately(asked)',
    caughtBy: ['middleware', 'a response with a cookie is not stored at all'],
  },
  {
    what: 'M18 the inner of two loads again',
    file: 'middleware',
    from: 'if (outer instanceof Session && stateOf(outer).save) return next()',
    to: '',
    caughtBy: ['middleware', 'the inner one does nothing'],
  },
  {
    what: 'M19 an ended session is an error for the client',
    file: 'visit',
    from: "if (!(error instanceof SessionError && error.code === 'SESSION_GONE')) throw error",
    to: 'throw error',
    caughtBy: ['middleware', 'is no error for the client'],
  },
  {
    what: 'M21 a callback that throws breaks the request',
    file: 'visit',
    from: '} catch {}\n',
    to: '} catch (error) {\n      throw error\n    }\n',
    caughtBy: ['middleware', 'a callback that throws or rejects'],
  },
  {
    what: 'Y5 the warning is given every time',
    file: 'warn-once',
    from: 'if (shared[WARNED].has(message)) return',
    to: '',
    caughtBy: ['memory-store', 'is given once per isolate'],
  },
]

const REPORT = join(tmpdir(), `isolate-session-mutations-${process.pid}.json`)

const wanted = process.argv.slice(2)
const chosen = MUTATIONS.filter(
  ({ what }) => wanted.length === 0 || wanted.some((word) => what.includes(word)),
)
const original = new Map<string, string>()

function restore(): void {
  rmSync(REPORT, { force: true })
  for (const [path, text] of original) writeFileSync(path, text)
}
process.on('exit', restore)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** The titles of the tests that failed. */
function failures([file, title]: [string, string]): {
  failed: string[]
  ran: number
} {
  const pattern = title.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const project = file.startsWith('servers/') ? 'servers' : 'workerd'
  const args = ['run', '--project', project, `test/${file}.test.ts`, '-t', pattern]
  args.push('--reporter=json', `--outputFile=${REPORT}`)
  rmSync(REPORT, { force: true })
  const { signal } = spawnSync('node_modules/.bin/vitest', args, { timeout: 120_000 })
  if (signal) process.exit(1)
  if (!existsSync(REPORT)) return { failed: ['(nothing ran)'], ran: 0 }
  const report = JSON.parse(readFileSync(REPORT, 'utf8'))
  const results: { status: string; fullName: string }[] = report.testResults.flatMap(
    ({ assertionResults }: { assertionResults: [] }) => assertionResults,
  )
  return {
    failed: results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    ran: results.filter(({ status }) => status === 'passed' || status === 'failed').length,
  }
}

let survivors = 0
for (const { what, file, from, to, caughtBy } of chosen) {
  const path = `src/${file}.ts`
  const text = original.get(path) ?? readFileSync(path, 'utf8')
  original.set(path, text)
  if (text.split(from).length !== 2) {
    survivors++
    console.log(`✗ ${what}: the place to break is not there, or more than once`)
    continue
  }
  writeFileSync(
    path,
    text.replace(from, () => to),
  )
  const { failed, ran } = failures(caughtBy)
  writeFileSync(path, text)
  const caught = failed.some((name) => name.includes(caughtBy[1]))
  if (!caught) survivors++
  console.log(
    `${caught ? '✓' : '✗'} ${what} — ${caught ? failed[0] : `${ran} tests ran, ${failed.length} failed: ${failed[0] ?? ''}`}`,
  )
}
console.log(`${chosen.length - survivors} of ${chosen.length} mutations were caught`)
process.exitCode = survivors === 0 ? 0 : 1
