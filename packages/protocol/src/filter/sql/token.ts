import { SqlSyntaxError } from './error.ts'

export type TokenKind = 'keyword' | 'word' | 'whole' | 'double' | 'text' | 'symbol' | 'end' | 'bad'

export interface Token {
  readonly kind: TokenKind
  /** As it stands in the text; of a keyword, in upper case; of a string literal, its value. */
  readonly text: string
  /** As it stands in the text. */
  readonly image: string
  readonly at: number
}

/**
 * A run of zeros is a token each, and every one looks ahead for the point of a double: hence the most digits before it.
 */
const further = [
  /(?<double>[0-9]{1,64}\.[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?|[0-9]{1,64}e[+-]?[0-9]+)/,
  /(?<whole>[1-9][0-9]*l?|0)/,
  /(?<text>'(?:''|[^'])*')/,
  /(?<word>[a-z_$][a-z0-9_$]*)/,
  /(?<symbol><>|>=|<=|[=<>(),+-])/,
]

const patternWith = (blank: RegExp) => new RegExp([blank, ...further].map(part => part.source).join('|'), 'iy')
const pattern = patternWith(/(?<blank>[ \t\n\r\f]+|--[^\n\r]*[\n\r]|\/\*[^*]*\*(?:\*|[^*/][^*]*\*)*\/)/)
/** For the last line: no `--` there has an end, and each would be looked for to the end of the text. */
const lastLinePattern = patternWith(/(?<blank>[ \t\n\r\f]+|\/\*[^*]*\*(?:\*|[^*/][^*]*\*)*\/)/)

/** Words and signs of an expression; it is read in one turn. Java has no limit. */
export const maxTokens = 24_000

/**
 * The tokens of an expression: words in any case, comments (`--` to the end of a line, and between slash-stars) left out.
 * A `--` that no line ends is two signs, as for Java. The last one is an 'end', or a 'bad' token for the rest of the text
 * from where no token can begin. They are cut as they are asked for: most of what is wrong is so from its first words on.
 */
export class Tokens {
  private readonly sql: string
  private readonly lastLine: number
  private readonly cut: Token[] = []
  private next = 0

  constructor(sql: string) {
    this.sql = sql
    this.lastLine = Math.max(sql.lastIndexOf('\n'), sql.lastIndexOf('\r')) + 1
  }

  /** The token of this number; behind the last one, that. Throws SqlSyntaxError above `maxTokens`. */
  at(index: number): Token {
    let last = this.cut.at(-1)
    while (this.cut.length <= index && last?.kind !== 'end' && last?.kind !== 'bad') {
      if (this.cut.length > maxTokens) throw tooMany(this.next)
      last = this.read()
      this.cut.push(last)
    }
    return this.cut[index] ?? (last as Token)
  }

  private read(): Token {
    const { sql } = this
    while (this.next < sql.length) {
      const at = this.next
      const cut = at < this.lastLine ? pattern : lastLinePattern
      cut.lastIndex = at
      const found = cut.exec(sql)
      if (found === null) return { kind: 'bad', text: '', image: sql.slice(at), at }
      const image = found[0]
      this.next += image.length
      // Groups are numbered from 1 on in the order of the patterns; all but the first are kinds.
      let kind = 1
      while (found[kind] === undefined) kind++
      if (kind > 1) return tokenOf(kinds[kind - 2] as TokenKind, image, at)
    }
    return { kind: 'end', text: '', image: '', at: sql.length }
  }
}

const tooMany = (position: number) =>
  new SqlSyntaxError(`the expression has more than ${maxTokens} words and signs`, { position })

const kinds: readonly TokenKind[] = ['double', 'whole', 'text', 'word', 'symbol']

const keywords = new Set('NOT AND OR BETWEEN IN TRUE FALSE NULL IS CONTAINS STARTSWITH ENDSWITH'.split(' '))

function tokenOf(kind: TokenKind, image: string, at: number): Token {
  if (kind === 'text') return { kind, text: image.slice(1, -1).replaceAll("''", "'"), image, at }
  const upper = image.toUpperCase()
  return kind === 'word' && keywords.has(upper)
    ? { kind: 'keyword', text: upper, image, at }
    : { kind, text: image, image, at }
}

/** What is wrong with a 'bad' token. */
export function badToken({ image: rest, at: position }: Token): SqlSyntaxError {
  const char = String.fromCodePoint(rest.codePointAt(0) as number)
  if (char === "'") return new SqlSyntaxError('a text literal has no end', { position, hint: "close it with '" })
  if (rest.startsWith('/*')) return new SqlSyntaxError('a comment has no end', { position, hint: 'close it with */' })
  return new SqlSyntaxError(`unexpected ${JSON.stringify(char)}`, { position, hint: hintFor(char, rest) })
}

function hintFor(char: string, rest: string): string {
  if (rest.startsWith('!=')) return 'write <> for "not equal"'
  if (char === '"' || char === '`') return "write text in single quotes, like 'a'; names of properties have none"
  if (char === '&') return 'write AND'
  if (char === '|') return 'write OR; tags joined by || are a TAG expression, not SQL92'
  if ('*/%'.includes(char)) return 'there is no arithmetic in these expressions'
  return 'names are letters, digits, _ and $ of ASCII, and other text is in single quotes'
}
