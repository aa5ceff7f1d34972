// Races in tests are forced and not hoped for: a call is stopped at one place, the test does something else, and lets it go on.

/** A call that waits. */
export interface Stall {
  /** Resolves when the call has come to where it waits. */
  readonly reached: Promise<void>
  /** Lets it go on. */
  release(): void
}

type Fault = <T>(call: () => Promise<T>) => Promise<T>

/** Which of the calls to come fail or wait, and a record of those that came. */
export class FaultPlan<Method extends string> {
  readonly calls: { readonly method: Method }[] = []
  readonly #faults = new Map<Method, Fault[]>()

  /** The next call of `method` fails before it does anything. */
  failNext(method: Method, error: unknown = new Error(`${method} fails on purpose`)): void {
    this.#plan(method, () => Promise.reject(error))
  }

  /** The next call of `method` waits before it does anything. */
  stallNext(method: Method): Stall {
    const { stall, wait } = gate()
    this.#plan(method, async (call) => {
      await wait()
      return call()
    })
    return stall
  }

  /** The next call of `method` takes effect, and waits before it says so. */
  stallNextAfter(method: Method): Stall {
    const { stall, wait } = gate()
    this.#plan(method, async (call) => {
      const result = await call()
      await wait()
      return result
    })
    return stall
  }

  /** Makes a call, in the way that was planned for it: first planned, first taken. */
  async run<T>(method: Method, call: () => Promise<T>): Promise<T> {
    this.calls.push({ method })
    const fault = this.#faults.get(method)?.shift()
    return fault ? fault(call) : call()
  }

  #plan(method: Method, fault: Fault): void {
    const planned = this.#faults.get(method)
    if (planned) planned.push(fault)
    else this.#faults.set(method, [fault])
  }
}

/** Two promises: one tells the test that the call has come, the other lets the call go on. */
function gate(): { stall: Stall; wait: () => Promise<void> } {
  let arrive = (): void => {}
  let release = (): void => {}
  const reached = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const departure = new Promise<void>((resolve) => {
    release = resolve
  })
  const wait = (): Promise<void> => {
    arrive()
    return departure
  }
  return { stall: { reached, release: () => release() }, wait }
}
