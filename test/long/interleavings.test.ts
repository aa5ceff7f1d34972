import { test } from 'vitest'
import { runInterleavings } from '../support/interleavings.ts'

test('ten thousand random interleavings', () => runInterleavings(10_000), 280_000)
