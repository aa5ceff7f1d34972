import { describe, expect, test } from 'vitest'
import { Turns } from '../src/session/turns.ts'

/** Work that ends when it is told to, and a list of what has begun. */
function work() {
  const begun: string[] = []
  const ends = new Map<string, PromiseWithResolvers<string>>()
  const named = (name: string) => (): Promise<string> => {
    begun.push(name)
    const end = Promise.withResolvers<string>()
    ends.set(name, end)
    return end.promise
  }
  return { begun, named, end: (name: string) => ends.get(name)?.resolve(name), ends }
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

describe('S11 one write after the other', () => {
  test('the first begins at once, without waiting for a microtask', () => {
    const { begun, named, end } = work()
    const turns = new Turns()
    void turns.run(named('a'))
    expect(begun).toEqual(['a'])
    end('a')
  })

  test('each begins when the one before has ended, in the order of the calls', async () => {
    const { begun, named, end } = work()
    const turns = new Turns()
    const all = ['a', 'b', 'c'].map((name) => turns.run(named(name)))
    await settled()
    expect(begun).toEqual(['a'])
    end('a')
    await settled()
    expect(begun).toEqual(['a', 'b'])
    end('b')
    await settled()
    end('c')
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c'])
  })

  test('one that fails is the caller’s, and the next one runs', async () => {
    const { named, end, ends } = work()
    const turns = new Turns()
    const first = turns.run(named('a'))
    const second = turns.run(named('b'))
    ends.get('a')?.reject(new Error('on purpose'))
    await expect(first).rejects.toThrow('on purpose')
    await settled()
    end('b')
    expect(await second).toBe('b')
  })

  test('idle waits for what is under way and for what is waiting', async () => {
    const { named, end } = work()
    const turns = new Turns()
    await turns.idle()
    void turns.run(named('a'))
    void turns.run(named('b'))
    let isIdle = false
    const idle = turns.idle().then(() => {
      isIdle = true
    })
    end('a')
    await settled()
    expect(isIdle).toBe(false)
    end('b')
    await idle
  })
})
