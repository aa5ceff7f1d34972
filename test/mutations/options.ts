import type { Mutation } from '../mutations.ts'

export const mutations: Mutation[] = [
  {
    what: 'M7 an unknown option is taken',
    file: 'options/check-options',
    from: 'if (Object.hasOwn(known, name)) continue',
    to: 'continue',
    caughtBy: ['options', 'of MemoryStore is refused by name'],
  },
  {
    what: 'M7 an option under a name that every object has is taken',
    file: 'options/check-options',
    from: 'Object.hasOwn(known, name)',
    to: 'name in known',
    caughtBy: ['options', 'under the name constructor'],
  },
  {
    what: 'M7 a value of the wrong type is taken',
    file: 'options/check-options',
    from: 'if (!fits(value)) throw',
    to: 'if (false) throw',
    caughtBy: ['options', 'cookie, path'],
  },
  {
    what: 'M7 options that are no object are taken',
    file: 'options/check-options',
    from: 'if (!OBJECT.test(Object.prototype.toString.call(options))) throw',
    to: 'if (options === null) throw',
    caughtBy: ['options', 'are refused by MemoryStore'],
  },
  {
    what: 'M7 the message shows whatever stands where a name should',
    file: 'options/check-options',
    from: 'NAME.test(name) ?',
    to: 'true ?',
    caughtBy: ['options', 'shows neither a value nor a name that may be one'],
  },
  {
    what: 'M7 inherited options are not read',
    file: 'options/check-options',
    from: 'const value = (options as Record<string, unknown>)[name]',
    to: 'const value = Object.hasOwn(options, name) ? (options as Record<string, unknown>)[name] : undefined',
    caughtBy: ['options', 'inherited options are options like others'],
  },
  {
    what: 'M7 an undefined option is one of the wrong type',
    file: 'options/check-options',
    from: 'if (value === undefined && !isRequired) continue',
    to: 'if (!(name in options) && !isRequired) continue',
    caughtBy: ['options', 'and with those that are undefined'],
  },
  {
    what: 'M7 other libraries’ names are not known',
    file: 'options/option-advice',
    from: 'HABITS.find(([pattern]) => pattern.test(name))?.[1]',
    to: 'undefined as string | undefined',
    caughtBy: ['options', 'spelled encryptionKey'],
  },
  {
    what: 'M7 misspelt options are not recognised',
    file: 'options/option-advice',
    from: 'Math.min(3, name.length / 2)',
    to: '0',
    caughtBy: ['options', 'spelled maxSession,'],
  },
  {
    what: 'M7 a class passes for a function that makes a store',
    file: 'options/options',
    from: '&& !isStore(value.prototype)',
    to: '',
    caughtBy: ['options', 'a class in place of a store'],
  },
]
