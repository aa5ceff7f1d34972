import { describe, test } from 'vitest'
import { goldenChecks } from './support/golden.ts'

describe('known answers of format version 1, in workerd', () => {
  for (const [title, check] of Object.entries(goldenChecks)) test(title, check)
})
