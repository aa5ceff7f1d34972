import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** A rule, as titles, comments and prose cite it: a word of its own, not a part of a name, a path or a code. */
const CITATION = /(?<![\w.$/#-])([STOYCM])(\d{1,2})(?![\w-]|\.\d)/g

const citationsIn = (text: string): string[] =>
  [...text.matchAll(CITATION)].map(([, letter, number]) => `${letter}${number}`)

const below = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => !/node_modules|\/\./.test(file))
const files = ['src', 'test', 'docs', 'demo', 'examples', 'bench'].flatMap(below)
const pages = readdirSync('.').filter((file) => file.endsWith('.md'))

const textOf = (pattern: RegExp): string =>
  [...files, ...pages]
    .filter((file) => pattern.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')

const contract = readFileSync('docs/contract.md', 'utf8')
const defined = [...contract.matchAll(/^\*\*([STOYCM]\d{1,2})\*\* /gm)].map(([, rule = '']) => rule)

test('every rule is defined once, in order, without a gap', () => {
  const letters = ['S', 'T', 'O', 'Y', 'C', 'M']
  for (const letter of letters) {
    const numbers = defined
      .filter((rule) => rule[0] === letter)
      .map((rule) => Number(rule.slice(1)))
    const sorted = numbers.toSorted((a, b) => a - b)
    expect(sorted).toEqual(numbers.map((_, i) => i + 1))
  }
})

test('every rule that is cited anywhere is defined', () => {
  const everywhere = textOf(/\.(ts|tsx|md)$/)
  const cited = new Set(citationsIn(everywhere))
  expect([...cited].filter((rule) => !defined.includes(rule)).sort()).toEqual([])
})

test('every rule is cited by the title of a test', () => {
  const tests = textOf(/^test\/.*\.ts$|^src\/testing\/rules\/.*\.ts$/)
  const titles = [
    ...tests.matchAll(/(?:test|describe|story|separately)(?:\.\w+)*\(\s*(?:['"`])([^\n]*?)['"`],/g),
    ...tests.matchAll(/\)\(\s*['"`]([^\n]*?)['"`],/g),
    ...tests.matchAll(/rules: '([^']+)'/g),
  ].map(([, title = '']) => title)
  const cited = new Set(citationsIn(titles.join('\n')))
  expect(defined.filter((rule) => !cited.has(rule))).toEqual([])
})
