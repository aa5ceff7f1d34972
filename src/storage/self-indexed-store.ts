// Redis and Durable Objects cannot find records by owner, so the list of an owner's sessions is kept beside them, in another
// key. The two are never written in one step. The order of the steps decides what a failure in between leaves behind: an
// entry too many, which is pruned, and never a session that sign-out-everywhere would miss.

import { isDead, type SessionRecord } from '../session/session-record.ts'
import { isOwn } from './backend.ts'
import { IndexedStore } from './keyed-store.ts'
import type { OwnedRecord } from './revocation.ts'

/** The result of a removal. */
export interface Removal {
  /** Whether a record was removed. */
  readonly isDone: boolean
  /** Whose the record was. */
  readonly owner: string | null
}

/** How many sessions are read or removed at once. Cloudflare takes as many keys in one `storage.delete`. */
export const BATCH_SIZE = 128

/**
 * The base of stores whose backend finds a record by its id alone. They keep an index beside the records: for each owner the
 * ids of the sessions, and when each of them ends at the latest.
 *
 * Record and entry are two steps, so their order is what holds O1: an entry is written before its session lives longer, and
 * removed after it has ended. A failure between the two leaves an entry too many, never one too few. An entry without a
 * record is dropped by the next listing.
 */
export abstract class SelfIndexedStore extends IndexedStore {
  /** As `insert`, without the index. */
  protected abstract insertRecord(id: string, record: SessionRecord): Promise<boolean>
  /** As `remove`, without the index. */
  protected abstract removeRecord(id: string, version?: string): Promise<Removal>
  /** Notes that this session lives until `expiry`, unless it is noted for longer already. */
  protected abstract addEntry(owner: string, id: string, expiry: number | null): Promise<void>
  /** At most `BATCH_SIZE` of them. */
  protected abstract removeEntries(owner: string, ids: readonly string[]): Promise<void>
  /** The ids of all entries. */
  protected abstract entriesOf(owner: string): Promise<string[]>

  /** @inheritDoc */
  protected async insert(id: string, record: SessionRecord): Promise<boolean> {
    const isInserted = await this.insertRecord(id, record)
    // Taken by itself: the call was made twice. Whether the first one came to the entry nobody knows.
    if (!isInserted && !isOwn(await this.read(id), record)) return false
    if (record.owner !== null) await this.addEntry(record.owner, id, record.expiry)
    return isInserted
  }

  /** @inheritDoc */
  protected override async supersede(
    id: string,
    record: SessionRecord,
    before: SessionRecord,
  ): Promise<boolean> {
    const { owner, expiry } = record
    const isOther = owner !== before.owner
    if (owner !== null && (isOther || outlives(expiry, before.expiry))) {
      await this.addEntry(owner, id, expiry)
    }
    const isReplaced = await this.replace(id, record, before.version)
    if (isReplaced && isOther && before.owner !== null) {
      await this.removeEntries(before.owner, [id])
    }
    return isReplaced
  }

  /** @inheritDoc */
  protected async remove(id: string, version?: string): Promise<boolean> {
    const { isDone, owner } = await this.removeRecord(id, version)
    if (owner !== null) await this.removeEntries(owner, [id])
    return isDone
  }

  /** @inheritDoc */
  protected override async removeMany(ids: readonly string[]): Promise<string[]> {
    const removals = await Promise.all(ids.map((id) => this.removeRecord(id)))
    for (const owner of new Set(removals.map((removal) => removal.owner))) {
      const isOwned = (_id: string, i: number): boolean => removals[i]?.owner === owner
      if (owner !== null) await this.removeEntries(owner, ids.filter(isOwned))
    }
    return ids.filter((_id, i) => removals[i]?.isDone)
  }

  /** @inheritDoc */
  protected override async recordsOf(owner: string): Promise<OwnedRecord[]> {
    const records: OwnedRecord[] = []
    for await (const batch of this.batchesOf(owner)) records.push(...batch)
    return records
  }

  /** @inheritDoc */
  protected override async *batchesOf(owner: string): AsyncGenerator<OwnedRecord[]> {
    const ids = await this.entriesOf(owner)
    for (let start = 0; start < ids.length; start += BATCH_SIZE) {
      const batch = ids.slice(start, start + BATCH_SIZE)
      const records = await Promise.all(batch.map((id) => this.read(id)))
      const gone = batch.filter((_id, i) => isGone(records[i]))
      if (gone.length > 0) await this.removeEntries(owner, gone)
      yield batch.flatMap((id, i) => {
        const record = records[i]
        return record?.owner === owner ? [[id, record]] : []
      })
    }
  }
}

/** Does it end later than what the index says? */
function outlives(expiry: number | null, before: number | null): boolean {
  return before !== null && (expiry === null || expiry > before)
}

/** A record is written before its entry, so an entry without one is left over. */
function isGone(record: SessionRecord | undefined): boolean {
  return record === undefined || isDead(record)
}
