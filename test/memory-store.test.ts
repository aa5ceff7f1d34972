import { test } from 'vitest'
import { MemoryStore } from '../src/index.js'
import { storeContract } from '../src/testing.js'

let stores = 0

storeContract('MemoryStore', () => new MemoryStore({ name: `contract-${stores++}` }), { test })
