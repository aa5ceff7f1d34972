export interface Estimate {
  readonly median: number
  /** The quartiles: half of all rounds were between them. */
  readonly low: number
  readonly high: number
}

export function estimate(values: readonly number[]): Estimate {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

/** Every value less the one of the same round. */
export function less(values: readonly number[], others: readonly number[]): number[] {
  return values.map((value, i) => value - (others[i] ?? Number.NaN))
}
