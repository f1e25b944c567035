import type { Node, OrderOperator, TextOperator } from './ast.ts'
import { compareDoubles, javaDouble } from './java-number.ts'
import { isSameInBytes, type PropertySource, type SqlText, sqlText } from './source.ts'
import { compareValues, type Failed, failed, negated, type SqlNumber, type SqlValue } from './value.ts'

/** `undefined` where Java throws: every node above it hands it on at once. */
type Truth = (source: PropertySource) => boolean | null | Failed
type Operand = (source: PropertySource) => SqlValue | Failed

/** A tree to closures: one per node, made once per subscription and run once per message. */
export function compileTruth(node: Node): Truth {
  switch (node.kind) {
    case 'constant': {
      const value = node.value as boolean | null
      return () => value
    }
    case 'truth':
      return truthOf(compileOperand(node.operand))
    case 'not':
      return negation(compileTruth(node.operand))
    case 'and':
      return junction(node.parts.map(compileTruth), false)
    case 'or':
      return junction(node.parts.map(compileTruth), true)
    case 'equal':
      return equalityInPlace(node.left, node.right) ?? equality(compileOperand(node.left), compileOperand(node.right))
    case 'isNull':
      return nullTest(compileOperand(node.operand))
    case 'order':
      return orderInPlace(node) ?? order(node.operator, compileOperand(node.left), compileOperand(node.right))
    case 'in':
      return membership(node)
    case 'text':
      return textTest(node)
    default:
      throw new TypeError(`a ${node.kind} is no condition`)
  }
}

function compileOperand(node: Node): Operand {
  if (node.kind === 'constant') {
    const { value } = node
    return () => value
  }
  if (node.kind === 'property') {
    const name = sqlText(node.name)
    return source => source.text(name) ?? null
  }
  return node.kind === 'negate' ? sign(node.operand) : compileTruth(node)
}

/** Only numbers have a sign, and they stand in the text; the negative of all else is unknown. */
function sign(operand: Node): Operand {
  const number = numberOf(operand)
  if (number !== undefined) {
    const negative = negated(number)
    return () => negative
  }
  const run = compileOperand(operand)
  return source => (run(source) === failed ? failed : null)
}

function numberOf(node: Node): SqlNumber | undefined {
  if (node.kind === 'constant') return typeof node.value === 'object' && node.value !== null ? node.value : undefined
  if (node.kind !== 'negate') return undefined
  const inner = numberOf(node.operand)
  return inner === undefined ? undefined : negated(inner)
}

/** A property is text and never a Boolean: false, even if it says true. */
function truthOf(operand: Operand): Truth {
  return source => {
    const value = operand(source)
    return value === failed ? failed : value === null ? null : value === true
  }
}

function negation(operand: Truth): Truth {
  return source => {
    const value = operand(source)
    return typeof value === 'boolean' ? !value : value
  }
}

/** AND is decided by the first false, OR by the first true: what stands behind it is not looked at, and cannot fail. */
function junction(parts: readonly Truth[], decisive: boolean): Truth {
  return source => {
    let unknown = false
    for (const part of parts) {
      const value = part(source)
      if (value === decisive) return decisive
      if (value === failed) return failed
      if (value === null) unknown = true
    }
    return unknown ? null : !decisive
  }
}

/** Unknown only where the left side is unknown and the right one is not; two unknowns are equal, as in Java. */
function equality(left: Operand, right: Operand): Truth {
  return source => {
    const lv = left(source)
    if (lv === failed) return failed
    const rv = right(source)
    if (rv === failed) return failed
    if (lv === rv) return true
    if (lv === null) return null
    if (rv === null) return false
    const answer = compareValues(lv, rv)
    return answer === failed ? failed : answer === 0
  }
}

function nullTest(operand: Operand): Truth {
  return source => {
    const value = operand(source)
    return value === failed ? failed : value === null
  }
}

const orders: Record<OrderOperator, (answer: number) => boolean> = {
  '<': answer => answer < 0,
  '<=': answer => answer <= 0,
  '>': answer => answer > 0,
  '>=': answer => answer >= 0,
}

/** The right side is not looked at when the left one is unknown. Two properties are compared as doubles. */
function order(operator: OrderOperator, left: Operand, right: Operand): Truth {
  const holds = orders[operator]
  return source => {
    const lv = left(source)
    if (lv === failed || lv === null) return lv
    const rv = right(source)
    if (rv === failed || rv === null) return rv
    const answer = typeof lv === 'string' && typeof rv === 'string' ? compareAsDoubles(lv, rv) : compareValues(lv, rv)
    return answer === failed ? failed : holds(answer)
  }
}

function compareAsDoubles(left: string, right: string): number | Failed {
  const a = javaDouble(left)
  const b = javaDouble(right)
  return a === undefined || b === undefined ? failed : compareDoubles(a, b)
}

/** A few values are compared one by one, many are looked up. */
const fewValues = 8

function membership({ name, values, not }: Extract<Node, { kind: 'in' }>): Truth {
  const property = sqlText(name)
  const texts = [...values].map(sqlText)
  if (texts.length === 0 || texts.length > fewValues || !texts.every(isSameInBytes))
    return source => {
      const value = source.text(property)
      return value === undefined ? null : values.has(value) !== not
    }
  return source => {
    for (const text of texts) {
      const is = source.is(property, text)
      if (is === undefined) return null
      if (is) return !not
    }
    return not
  }
}

const textTests: Record<TextOperator, (value: string, search: string) => boolean> = {
  CONTAINS: (value, search) => value.includes(search),
  STARTSWITH: (value, search) => value.startsWith(search),
  ENDSWITH: (value, search) => value.endsWith(search),
}

/** False, with and without NOT, where there is no text or nothing to look for; never unknown. */
function textTest({ operator, operand, search, not }: Extract<Node, { kind: 'text' }>): Truth {
  if (search === '') return () => false
  const test = textTests[operator]
  const run = compileOperand(operand)
  return source => {
    const value = run(source)
    if (value === failed) return failed
    return typeof value === 'string' && test(value, search) !== not
  }
}

/** What most expressions are made of: a property beside a literal, whose value need not become a string. */
interface Beside {
  readonly name: SqlText
  readonly literal: string | SqlNumber
  readonly isLeft: boolean
}

function besideLiteral(left: Node, right: Node): Beside | undefined {
  const isLeft = left.kind === 'property'
  const [property, constant] = isLeft ? [left, right] : [right, left]
  if (property.kind !== 'property' || constant.kind !== 'constant') return undefined
  const { value } = constant
  if (value === null || typeof value === 'boolean') return undefined
  // Java tells 0.0 from -0.0.
  if (typeof value === 'object' && value.type === 'double' && value.value === 0) return undefined
  return { name: sqlText(property.name), literal: value, isLeft }
}

function equalityInPlace(left: Node, right: Node): Truth | undefined {
  const beside = besideLiteral(left, right)
  if (beside === undefined) return undefined
  const { name, literal, isLeft } = beside
  if (typeof literal === 'string') {
    const wanted = sqlText(literal)
    const missing = isLeft ? null : false
    return isSameInBytes(wanted) ? source => source.is(name, wanted) ?? missing : undefined
  }
  const otherwise = equality(compileOperand(left), compileOperand(right))
  const { value } = literal
  return source => {
    const found = source.shortInt(name)
    return Number.isNaN(found) ? otherwise(source) : !(found < value) && !(found > value)
  }
}

function orderInPlace({ operator, left, right }: Extract<Node, { kind: 'order' }>): Truth | undefined {
  const beside = besideLiteral(left, right)
  if (beside === undefined || typeof beside.literal === 'string') return undefined
  const { name, isLeft } = beside
  const { value } = beside.literal
  const holds = orders[operator]
  const otherwise = order(operator, compileOperand(left), compileOperand(right))
  return source => {
    const found = source.shortInt(name)
    if (Number.isNaN(found)) return otherwise(source)
    const answer = found < value ? -1 : found > value ? 1 : 0
    return holds(isLeft ? answer : -answer)
  }
}
