/**
 * Runs one piece of work after the other: each begins when the one before has ended, however that ended.
 *
 * A handler need not wait for `save()`, so two writes of one session may be requested at once. Written side by side, the
 * second would find a version that the first is about to replace.
 */
export class Turns {
  #last: Promise<void> | undefined

  /** Runs `work` when it is its turn; at once if nothing is under way. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last ? this.#last.then(work) : work()
    const forget = (): void => {
      if (this.#last === ended) this.#last = undefined
    }
    const ended: Promise<void> = result.then(forget, forget)
    this.#last = ended
    return result
  }

  /** Resolves when nothing is under way, and nothing is waiting. */
  async idle(): Promise<void> {
    while (this.#last) await this.#last
  }
}
