export interface Estimate {
  /** The time when little else is in the way: the mean of the fastest quarter of all rounds. */
  readonly value: number
  readonly median: number
  /** Half of all rounds were between these. */
  readonly quartiles: readonly [number, number]
}

/** Whatever else the machine does makes a round longer, also its processor time (caches, shared cores), and never shorter. */
export function estimate(values: readonly number[]): Estimate {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN
  const fastest = sorted.slice(0, Math.ceil(sorted.length / 4))
  const value = fastest.reduce((sum, each) => sum + each, 0) / fastest.length
  return { value, median: at(0.5), quartiles: [at(0.25), at(0.75)] }
}
