import { MemoryStore, type MemoryStoreOptions, type SessionRecord } from '../../src/index.ts'
import { FaultPlan } from '../../src/testing/fault-plan.ts'

export type Operation = 'read' | 'insert' | 'replace' | 'remove' | 'recordsOf'

/** A MemoryStore whose every step to its backend can be made to fail or wait. */
export class FaultyMemory extends MemoryStore {
  readonly plan: FaultPlan<Operation>
  readonly #ids = new Set<string>()

  constructor(plan: FaultPlan<Operation> = new FaultPlan(), options: MemoryStoreOptions = {}) {
    super({ name: `faulty-${crypto.randomUUID()}`, warn: false, ...options })
    this.plan = plan
  }

  protected override read(id: string): Promise<SessionRecord | undefined> {
    return this.plan.run('read', () => super.read(id))
  }

  protected override insert(id: string, record: SessionRecord): Promise<boolean> {
    this.#ids.add(id)
    return this.plan.run('insert', () => super.insert(id, record))
  }

  protected override replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    return this.plan.run('replace', () => super.replace(id, record, version))
  }

  protected override remove(id: string, version?: string): Promise<boolean> {
    return this.plan.run('remove', () => super.remove(id, version))
  }

  protected override recordsOf(owner: string): Promise<[id: string, record: SessionRecord][]> {
    return this.plan.run('recordsOf', () => super.recordsOf(owner))
  }

  /** How many there are that a cookie can lead to: no dead records, no expired ones. */
  async alive(): Promise<number> {
    const records = await Promise.all([...this.#ids].map((id) => super.read(id)))
    return records.filter((record) => record && record.body !== '').length
  }
}
