// A TEST DOUBLE, not a MongoDB: it speaks enough of the wire protocol for the real driver, keeps documents in memory, and does
// one command after the other. No TTL, no real concurrency. It is here so that plain `npm test` runs the store at all.
import { createServer, type Socket } from 'node:net'
import { calculateObjectSize, deserialize, serialize } from 'bson'
import { Query } from 'mingo'

type Document = Record<string, unknown>

interface CollationSpec {
  locale: string
  strength?: 1 | 2 | 3
}

/** Its documents, and the collation of queries that name none. */
type Collection = Document[] & { collation?: CollationSpec }

const SIMPLE: CollationSpec = { locale: 'simple' }

const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013
const HEADER = 16

/** Answers at `mongodb://127.0.0.1:<port>/test` until it is closed. */
export async function startMongoDBDouble(): Promise<{ url: string; close: () => Promise<void> }> {
  const collections = new Map<string, Document[]>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)))
    let received = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= HEADER && received.length >= received.readInt32LE(0)) {
        const message = received.subarray(0, received.readInt32LE(0))
        received = received.subarray(message.length)
        socket.write(answer(message, collections))
      }
    })
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  return {
    url: `mongodb://127.0.0.1:${port}/test`,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answer(message: Buffer, collections: Map<string, Document[]>): Buffer {
  const id = message.readInt32LE(4)
  const isQuery = message.readInt32LE(12) === OP_QUERY
  const command = isQuery ? queryOf(message) : commandOf(message)
  const reply = serialize({ ...run(command, collections) })
  const before = isQuery ? Buffer.alloc(20) : Buffer.alloc(5)
  if (isQuery) before.writeInt32LE(1, 16)
  const header = Buffer.alloc(HEADER)
  header.writeInt32LE(HEADER + before.length + reply.length, 0)
  header.writeInt32LE(id, 8)
  header.writeInt32LE(isQuery ? OP_REPLY : OP_MSG, 12)
  return Buffer.concat([header, before, reply])
}

/** The handshake of drivers that do not know yet whom they talk to. */
function queryOf(message: Buffer): Document {
  const name = HEADER + 4
  return deserialize(message.subarray(message.indexOf(0, name) + 1 + 8))
}

/** A body, and documents that are sent apart from it, each list under its name. */
function commandOf(message: Buffer): Document {
  const command: Document = {}
  for (let at = HEADER + 4; at < message.length; ) {
    const kind = message[at++]
    const size = message.readInt32LE(at)
    const section = message.subarray(at, at + size)
    at += size
    if (kind === 0) Object.assign(command, deserialize(section))
    else {
      const end = section.indexOf(0, 4)
      command[section.toString('utf8', 4, end)] = documentsIn(section.subarray(end + 1))
    }
  }
  return command
}

function documentsIn(bytes: Buffer): Document[] {
  const documents: Document[] = []
  for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at)) {
    documents.push(deserialize(bytes.subarray(at, at + bytes.readInt32LE(at))))
  }
  return documents
}

function run(command: Document, collections: Map<string, Document[]>): Document {
  const [name = ''] = Object.keys(command)
  const collection = String(command[name])
  const documents: Collection = collections.get(collection) ?? []
  collections.set(collection, documents)
  const matching = (filter: unknown, collation: unknown): Document[] => {
    const { locale, strength } = (collation ?? documents.collation ?? SIMPLE) as CollationSpec
    const options = locale === 'simple' ? {} : { collation: { locale, strength } as CollationSpec }
    const query = new Query(filter as Document, options)
    return documents.filter((document) => query.test(document))
  }
  switch (name) {
    case 'create':
      documents.collation = command.collation as CollationSpec
      return { ok: 1 }
    case 'hello':
    case 'ismaster':
    case 'isMaster':
      return {
        ...{ ok: 1, helloOk: true, ismaster: true, isWritablePrimary: true, maxWireVersion: 21 },
        ...{ minWireVersion: 0, maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000 },
        ...{ maxWriteBatchSize: 100_000, localTime: new Date() },
      }
    case 'insert':
      return insert(command.documents as Document[], documents)
    case 'find': {
      const found = matching(command.filter, command.collation)
      return { ok: 1, cursor: { id: 0n, ns: `test.${collection}`, firstBatch: found } }
    }
    case 'update': {
      const [{ q, u, collation } = {}] = command.updates as Document[]
      const [found] = matching(q, collation)
      if (found) documents.splice(documents.indexOf(found), 1, u as Document)
      return { ok: 1, n: found ? 1 : 0, nModified: found ? 1 : 0 }
    }
    case 'delete': {
      const [{ q, limit, collation } = {}] = command.deletes as Document[]
      const doomed = matching(q, collation).slice(0, limit === 1 ? 1 : undefined)
      for (const each of doomed) documents.splice(documents.indexOf(each), 1)
      return { ok: 1, n: doomed.length }
    }
    case 'aggregate': {
      // The driver's countDocuments.
      const [{ $match } = {}] = command.pipeline as Document[]
      const n = matching($match, command.collation).length
      return { ok: 1, cursor: { id: 0n, ns: `test.${collection}`, firstBatch: n ? [{ n }] : [] } }
    }
    default:
      return { ok: 1 }
  }
}

function insert(added: Document[], documents: Document[]): Document {
  const taken = added.find(({ _id }) => documents.some((document) => document._id === _id))
  if (taken) return { ok: 1, n: 0, writeErrors: [{ index: 0, code: 11_000, errmsg: 'E11000' }] }
  if (added.some((document) => calculateObjectSize(document) > 16_777_216)) {
    return { ok: 0, code: 10_334, errmsg: 'BSONObj size is invalid' }
  }
  documents.push(...added)
  return { ok: 1, n: added.length }
}
