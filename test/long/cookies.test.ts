import { test } from 'vitest'
import { fuzzCookies } from '../support/hostile-cookies.ts'

test('a million hostile cookie headers', () => fuzzCookies(1_000_000), 280_000)
