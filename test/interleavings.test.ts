import { test } from 'vitest'
import { runInterleavings } from './support/interleavings.ts'

test('random interleavings of many requests lose nothing and bring nothing back', async () => {
  await runInterleavings(500)
}, 60_000)
