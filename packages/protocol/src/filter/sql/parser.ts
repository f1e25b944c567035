import type { Node, OrderOperator, TextOperator } from './ast.ts'
import { SqlSyntaxError } from './error.ts'
import { asTruth, checkBounds, checkEqual, checkOrder } from './operand.ts'
import { badToken, type Token, Tokens } from './token.ts'
import { wholeNumber } from './value.ts'

/** Longest expression, UTF-16 units. Java has no limit; a heartbeat carries the text, so that this is generous. */
export const maxSqlLength = 65_536
/** Deepest nesting of parentheses, signs, NOTs and chained comparisons. Java ends at its stack. */
export const maxSqlDepth = 200

/**
 * Text to tree. The levels from loose to tight: OR; AND; `=` `<>` IS; `<` `>` BETWEEN IN CONTAINS…; NOT and signs;
 * literals, names, parentheses. So NOT binds tighter than a comparison: `NOT a = 1` is `(NOT a) = 1`, as in Java.
 * Java stops reading where an expression may end and ignores what follows; we refuse that, since it hides mistakes.
 * Throws SqlSyntaxError.
 */
export function parseSql(sql: string): Node {
  if (sql.length > maxSqlLength) {
    throw new SqlSyntaxError(`the expression is longer than ${maxSqlLength}`, { position: maxSqlLength })
  }
  return new Parser(new Tokens(sql)).whole()
}

class Parser {
  private readonly tokens: Tokens
  private next = 0
  private depth = 0
  /** Chained comparisons, from the third of a chain on, all chains together: each makes the tree deeper. */
  private links = 0

  constructor(tokens: Tokens) {
    this.tokens = tokens
  }

  whole(): Node {
    const node = asTruth(this.or())
    const rest = this.peek()
    // A last line comment without the end of its line reads as two signs, and is none the less a comment.
    const comment = rest.text === '-' && this.peek(1).text === '-' && this.peek(1).at === rest.at + 1
    if (rest.kind !== 'end' && !comment) throw this.unexpected('the expression ends before this')
    return node
  }

  private or(): Node {
    return this.chain('OR', () => this.and())
  }

  private and(): Node {
    return this.chain('AND', () => this.equality())
  }

  private chain(word: 'AND' | 'OR', operand: () => Node): Node {
    const first = operand()
    if (!this.isWord(word)) return first
    const parts = [asTruth(first)]
    while (this.takeWord(word)) parts.push(asTruth(operand()))
    return { kind: word === 'AND' ? 'and' : 'or', parts, at: first.at }
  }

  private equality(): Node {
    let left = this.comparison()
    for (let taken = 0; ; taken++) {
      const { at } = left
      if (taken > 1) this.checkDepth(++this.links)
      if (this.takeSymbol('=')) {
        left = equal(left, this.comparison())
      } else if (this.takeSymbol('<>')) {
        left = { kind: 'not', operand: equal(left, this.comparison()), at }
      } else if (this.takeWord('IS')) {
        const not = this.takeWord('NOT')
        if (!this.takeWord('NULL'))
          throw this.unexpected('NULL is expected after IS', 'only IS NULL and IS NOT NULL exist')
        const isNull: Node = { kind: 'isNull', operand: left, at }
        left = not ? { kind: 'not', operand: isNull, at } : isNull
      } else {
        return left
      }
    }
  }

  private comparison(): Node {
    let left = this.unary()
    for (let taken = 0; ; taken++) {
      if (taken > 1) this.checkDepth(++this.links)
      const order = this.takeOrder()
      if (order !== undefined) {
        left = ordered(order, left, this.unary())
        continue
      }
      const not = this.takeWord('NOT')
      if (this.takeWord('BETWEEN')) left = this.between(left, not)
      else if (this.takeWord('IN')) left = this.in(left, not)
      else {
        const operator = this.takeTextOperator()
        if (operator === undefined) {
          if (!not) return left
          throw this.unexpected('NOT is not followed by BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH')
        }
        left = { kind: 'text', operator, operand: left, search: this.textLiteral(operator), not, at: left.at }
      }
    }
  }

  private between(value: Node, not: boolean): Node {
    const low = this.unary()
    if (!this.takeWord('AND')) throw this.unexpected('AND is expected between the bounds', 'write BETWEEN 1 AND 5')
    const high = this.unary()
    const { at } = value
    if (not) return { kind: 'or', parts: [ordered('<', value, low), ordered('>', value, high)], at }
    checkBounds(low, high)
    return { kind: 'and', parts: [ordered('>=', value, low), ordered('<=', value, high)], at }
  }

  private in(left: Node, not: boolean): Node {
    if (!this.takeSymbol('(')) throw this.unexpected('a list in parentheses is expected', "write IN ('a', 'b')")
    const values = new Set<string>()
    do values.add(this.textLiteral('IN'))
    while (this.takeSymbol(','))
    if (!this.takeSymbol(')'))
      throw this.unexpected('the list has no end', "separate its texts with ',' and close it with ')'")
    if (left.kind !== 'property') {
      throw new SqlSyntaxError('only a property can be IN a list', { position: left.at })
    }
    return { kind: 'in', name: left.name, values, not, at: left.at }
  }

  private unary(): Node {
    this.checkDepth(++this.depth)
    const { at } = this.peek()
    let node: Node
    if (this.takeSymbol('+')) node = this.unary()
    else if (this.takeSymbol('-')) node = { kind: 'negate', operand: this.unary(), at }
    else if (this.takeWord('NOT')) node = { kind: 'not', operand: asTruth(this.unary()), at }
    else node = this.primary()
    this.depth--
    return node
  }

  private primary(): Node {
    const token = this.peek()
    if (this.takeSymbol('(')) {
      const node = this.or()
      if (!this.takeSymbol(')')) throw this.unexpected('a parenthesis is not closed', `it opens at ${token.at}`)
      return node
    }
    const node = literal(token) ?? property(token)
    if (node === undefined) throw this.unexpected('a property, a literal or ( is expected')
    this.next++
    return node
  }

  private textLiteral(operator: string): string {
    const token = this.peek()
    if (token.kind !== 'text') {
      throw this.unexpected(`${operator} takes text literals only`, "write it in single quotes, like 'a', numbers too")
    }
    this.next++
    return token.text
  }

  private takeOrder(): OrderOperator | undefined {
    return (['<', '<=', '>', '>='] as const).find(operator => this.takeSymbol(operator))
  }

  private takeTextOperator(): TextOperator | undefined {
    return (['CONTAINS', 'STARTSWITH', 'ENDSWITH'] as const).find(operator => this.takeWord(operator))
  }

  private peek(ahead = 0): Token {
    return this.tokens.at(this.next + ahead)
  }

  private isWord(word: string): boolean {
    const token = this.peek()
    return token.kind === 'keyword' && token.text === word
  }

  private takeWord(word: string): boolean {
    if (!this.isWord(word)) return false
    this.next++
    return true
  }

  private takeSymbol(symbol: string): boolean {
    const token = this.peek()
    if (token.kind !== 'symbol' || token.text !== symbol) return false
    this.next++
    return true
  }

  private checkDepth(depth: number): void {
    if (depth <= maxSqlDepth) return
    throw new SqlSyntaxError(`the expression is nested deeper than ${maxSqlDepth}`, { position: this.peek().at })
  }

  private unexpected(reason: string, hint?: string): SqlSyntaxError {
    const token = this.peek()
    if (token.kind === 'bad') return badToken(token)
    const found = token.kind === 'end' ? 'the end' : token.image
    return new SqlSyntaxError(`${reason}; found ${found}`, { position: token.at, hint: hint ?? this.guess(token) })
  }

  /** What people who know other dialects write here. */
  private guess(token: Token): string {
    const before = this.next === 0 ? undefined : this.tokens.at(this.next - 1)
    if (token.text === '=' && before?.text === '=') return 'write = once'
    if (before?.text === '0' && token.kind === 'whole') return 'numbers have no leading zeros'
    const word = token.image.toUpperCase()
    if (word === 'LIKE') return 'there is no LIKE; write CONTAINS, STARTSWITH or ENDSWITH'
    if (word === 'L' && before?.text === '0') return 'write 0 without L'
    if (token.text === '-' || token.text === '+') return 'there is no arithmetic, and no - in names'
    return ''
  }
}

function equal(left: Node, right: Node): Node {
  checkEqual(left, right)
  return { kind: 'equal', left, right, at: left.at }
}

function ordered(operator: OrderOperator, left: Node, right: Node): Node {
  checkOrder(left)
  checkOrder(right)
  return { kind: 'order', operator, left, right, at: left.at }
}

function literal(token: Token): Node | undefined {
  const { at } = token
  if (token.kind === 'text') return { kind: 'constant', value: token.text, at }
  if (token.kind === 'whole') {
    const value = wholeNumber(token.text.replace(/l$/i, ''))
    if (value === undefined) throw new SqlSyntaxError('a number is above 2^63 - 1', { position: at })
    return { kind: 'constant', value, at }
  }
  if (token.kind === 'double') return double(token)
  if (token.kind !== 'keyword') return undefined
  if (token.text === 'TRUE' || token.text === 'FALSE') return { kind: 'constant', value: token.text === 'TRUE', at }
  return token.text === 'NULL' ? { kind: 'constant', value: null, at } : undefined
}

/** Java refuses 0.0 for being smaller than the smallest double above 0. */
function double(token: Token): Node {
  const value = Number(token.text)
  const { at } = token
  if (value === Infinity) throw new SqlSyntaxError('a number is too large', { position: at })
  if (value === 0)
    throw new SqlSyntaxError('a number with a point is 0, or too small', { position: at, hint: 'write 0' })
  return { kind: 'constant', value: { type: 'double', value }, at }
}

/** CONTAINS, STARTSWITH and ENDSWITH are names where no operator can stand, as they are in 4.9. */
function property(token: Token): Node | undefined {
  const named = token.kind === 'word' || (token.kind === 'keyword' && textOperators.has(token.text))
  return named ? { kind: 'property', name: token.image, at: token.at } : undefined
}

const textOperators: ReadonlySet<string> = new Set(['CONTAINS', 'STARTSWITH', 'ENDSWITH'])
