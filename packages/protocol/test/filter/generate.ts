/**
 * Random expressions and properties for a comparison with Java's evaluator: much of what is made is refused or fails, on purpose. Seeded,
 * so that a table can be made again. As a program: `generate.ts <count> <seed>` prints the lines that SqlTable.java reads.
 */
import { fileURLToPath } from 'node:url'
import { chosenSqlCases } from './chosen-cases.ts'

export interface SqlCase {
  sql: string
  properties: Record<string, string>
}

/** Mulberry32: a small generator whose sequence is the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

const names = ['a', 'b', 'c', 'Abc', '_x', '$y', 'a1', 'TAGS']
const values = [
  '1',
  '2',
  '5',
  '0',
  '-1',
  '+3',
  '007',
  '10',
  '1.0',
  '1.5',
  ' 2 ',
  '2 ',
  '1e3',
  '2d',
  '0x10',
  '0x1p3',
  'NaN',
  'Infinity',
  '-Infinity',
  '-0',
  '-0.0',
  '0.0',
  '2147483647',
  '2147483648',
  '-2147483648',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '1700000000000',
  'true',
  'TRUE',
  'false',
  'x',
  'abc',
  'ab',
  "it's",
  '',
  '中文',
  '５',
  '٣',
  'a b',
  '.5',
  '5.',
  '5L',
  'null',
] // prettier-ignore
const texts = [
  "'1'",
  "'x'",
  "'abc'",
  "'ab'",
  "'b'",
  "''",
  "'it''s'",
  "'true'",
  "'5'",
  "'中文'",
  "'NaN'",
  "'2147483648'",
  "' '",
]
const numbers = [
  '0',
  '1',
  '2',
  '5',
  '10',
  '5L',
  '5l',
  '2147483647',
  '2147483648',
  '1700000000000',
  '9223372036854775807',
  '9223372036854775808',
  '1.0',
  '1.5',
  '5.',
  '.5',
  '1e3',
  '2E-1',
  '1e400',
  '0.0',
  '0.',
  '1e-400',
  '007',
  '0L',
  '5e',
] // prettier-ignore
const blanks = [' ', ' ', ' ', '  ', '\t', '\n', ' /* c */ ', ' /***/ ', ' -- c\n']
const junk = [
  '==',
  '!=',
  '"x"',
  '#',
  ';',
  "'open",
  '/* open',
  '-- open',
  '1 2',
  ') ',
  'LIKE',
  '*',
  '&&',
  '||',
  ',',
  '(',
  'é',
  '.',
]

class Maker {
  private readonly random: () => number

  constructor(seed: number) {
    this.random = randomFrom(seed)
  }

  one(): SqlCase {
    let sql = this.or(3)
    if (this.chance(0.04)) sql = this.spoil(sql)
    if (this.chance(0.02)) sql += `${this.blank()}${this.pick(junk)}`
    const properties: Record<string, string> = {}
    for (const name of names) if (this.chance(0.6)) properties[name] = this.pick(values)
    return { sql, properties }
  }

  private or(depth: number): string {
    return this.chain(this.case('OR'), () => this.and(depth), 0.2)
  }

  private and(depth: number): string {
    return this.chain(this.case('AND'), () => this.equality(depth), 0.25)
  }

  private chain(word: string, part: () => string, more: number): string {
    let text = part()
    while (this.chance(more)) text += `${this.blank()}${word}${this.blank()}${part()}`
    return text
  }

  private equality(depth: number): string {
    if (this.chance(0.75)) return this.plain(depth)
    let text = this.comparison(depth)
    while (this.chance(text.length > 60 ? 0.05 : 0.3)) {
      const kind = this.random()
      if (kind < 0.3)
        text += `${this.blank()}${this.case('IS')}${this.chance(0.5) ? ` ${this.case('NOT')}` : ''} ${this.case('NULL')}`
      else text += `${this.space()}${kind < 0.75 ? '=' : '<>'}${this.space()}${this.comparison(depth)}`
    }
    return text
  }

  /** A condition as people write them, so that not all is refused. */
  private plain(depth: number): string {
    const name = this.pick(names)
    const not = this.chance(0.3) ? `${this.case('NOT')} ` : ''
    const kind = this.random()
    if (kind < 0.3) return `${name}${this.space()}${this.pick(['<', '<=', '>', '>='])}${this.space()}${this.number()}`
    if (kind < 0.45) return `${name} ${this.pick(['=', '<>'])} ${this.chance(0.5) ? this.text() : this.number()}`
    if (kind < 0.52)
      return `${name} ${not}${this.case('BETWEEN')} ${this.number()} ${this.case('AND')} ${this.number()}`
    if (kind < 0.6) return `${name} ${not}${this.case('IN')} (${this.list()})`
    if (kind < 0.68) return `${name} ${this.case('IS')} ${not}${this.case('NULL')}`
    if (kind < 0.76)
      return `${name} ${not}${this.case(this.pick(['CONTAINS', 'STARTSWITH', 'ENDSWITH']))} ${this.text()}`
    if (kind < 0.8) return `${name} = ${this.case(this.pick(['TRUE', 'FALSE']))}`
    if (kind < 0.86) return `${name} ${this.pick(['=', '<>', '<', '>='])} ${this.pick(names)}`
    if (depth === 0) return name
    return `${not}(${this.or(depth - 1)})`
  }

  private number(): string {
    return `${this.chance(0.2) ? '-' : ''}${this.pick(numbers.slice(0, 11))}`
  }

  private comparison(depth: number): string {
    let text = this.unary(depth)
    while (this.chance(text.length > 60 ? 0.05 : 0.45)) {
      const not = this.chance(0.3) ? `${this.case('NOT')} ` : ''
      const kind = this.random()
      if (kind < 0.5) text += `${this.space()}${this.pick(['<', '<=', '>', '>='])}${this.space()}${this.unary(depth)}`
      else if (kind < 0.65)
        text += ` ${not}${this.case('BETWEEN')} ${this.unary(depth)} ${this.case('AND')} ${this.unary(depth)}`
      else if (kind < 0.8) text += ` ${not}${this.case('IN')}${this.space()}(${this.list()})`
      else text += ` ${not}${this.case(this.pick(['CONTAINS', 'STARTSWITH', 'ENDSWITH']))} ${this.text()}`
    }
    return text
  }

  private unary(depth: number): string {
    const kind = this.random()
    if (kind < 0.06) return `-${this.space()}${this.unary(depth)}`
    if (kind < 0.08) return `+${this.unary(depth)}`
    if (kind < 0.14) return `${this.case('NOT')} ${this.unary(depth)}`
    return this.primary(depth)
  }

  private primary(depth: number): string {
    const kind = this.random()
    if (depth > 0 && kind < 0.16) return `(${this.space()}${this.or(depth - 1)}${this.space()})`
    if (kind < 0.56) return this.pick(names)
    if (kind < 0.8) return this.chance(0.75) ? this.pick(numbers.slice(0, 13)) : this.pick(numbers)
    if (kind < 0.9) return this.text()
    return this.case(this.pick(['TRUE', 'FALSE', 'TRUE', 'FALSE', 'NULL']))
  }

  private list(): string {
    let text = this.chance(0.95) ? this.text() : this.pick(numbers)
    while (this.chance(0.5)) text += `,${this.space()}${this.text()}`
    return text
  }

  private text(): string {
    return this.pick(texts)
  }

  /** Cuts out, doubles or moves a piece. */
  private spoil(sql: string): string {
    const at = Math.floor(this.random() * sql.length)
    const end = at + 1 + Math.floor(this.random() * 5)
    const kind = this.random()
    if (kind < 0.5) return sql.slice(0, at) + sql.slice(end)
    if (kind < 0.8) return sql.slice(0, end) + sql.slice(at)
    return `${sql.slice(0, at)} ${this.pick(junk)} ${sql.slice(at)}`
  }

  private case(word: string): string {
    const kind = this.random()
    return kind < 0.7 ? word : kind < 0.85 ? word.toLowerCase() : word[0] + word.slice(1).toLowerCase()
  }

  private blank(): string {
    return this.pick(blanks)
  }

  private space(): string {
    return this.chance(0.6) ? ' ' : this.chance(0.7) ? '' : this.blank()
  }

  private pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)] as T
  }

  private chance(of: number): boolean {
    return this.random() < of
  }
}

/** The chosen cases, and `count` random ones. */
export function* generateSqlCases({ count, seed }: { count: number; seed: number }): Generator<SqlCase> {
  yield* chosenSqlCases
  const maker = new Maker(seed)
  for (let i = 0; i < count; i++) yield maker.one()
}

/** A line for SqlTable.java: base64 of the expression, then of names and values in turn, with tabs. */
export function sqlCaseLine({ sql, properties }: SqlCase): string {
  return [sql, ...Object.entries(properties).flat()].map(part => Buffer.from(part).toString('base64')).join('\t')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [count = '1000', seed = '1'] = process.argv.slice(2)
  for (const one of generateSqlCases({ count: Number(count), seed: Number(seed) })) console.log(sqlCaseLine(one))
}
