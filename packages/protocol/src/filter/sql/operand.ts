import { isTruth, type Node } from './ast.ts'
import { SqlSyntaxError } from './error.ts'
import { compareValues, failed } from './value.ts'

/** What Java refuses when it builds an expression, beyond the grammar. Signed numbers are no literals to these rules. */

/** The operand of AND, OR and NOT, and a whole expression: a property is cast, anything else must be a truth. */
export function asTruth(node: Node): Node {
  if (isTruth(node)) return node
  if (node.kind === 'property') return { kind: 'truth', operand: node, at: node.at }
  throw new SqlSyntaxError('this is neither true nor false', {
    position: node.at,
    hint: 'compare it with something, like a = 1',
  })
}

/** The operands of `=` and `<>`. */
export function checkEqual(left: Node, right: Node): void {
  for (const side of [left, right]) {
    if (side.kind === 'constant' && side.value === null) {
      throw new SqlSyntaxError('nothing is equal to NULL', { position: side.at, hint: 'write IS NULL or IS NOT NULL' })
    }
  }
  if (left.kind !== 'constant' || right.kind !== 'constant') return
  if (typeof left.value === 'boolean' && typeof right.value !== 'boolean') {
    throw new SqlSyntaxError('TRUE and FALSE cannot be compared with other literals', { position: right.at })
  }
}

/** An operand of `<`, `<=`, `>`, `>=` and BETWEEN. */
export function checkOrder(node: Node): void {
  if (isTruth(node)) {
    const what = node.kind === 'constant' ? 'TRUE, FALSE and NULL have' : 'a condition has'
    const hint = node.kind === 'constant' ? '' : 'join conditions with AND, like a > 1 AND a < 5'
    throw new SqlSyntaxError(`${what} no order`, { position: node.at, hint })
  }
  if (node.kind === 'constant' && typeof node.value === 'string') {
    throw new SqlSyntaxError('text has no order', {
      position: node.at,
      hint: 'only numbers can be compared with < <= > >= and BETWEEN; write them without quotes',
    })
  }
}

/** The bounds of BETWEEN, but not of NOT BETWEEN: known ones must not be the wrong way round. */
export function checkBounds(low: Node, high: Node): void {
  if (low.kind !== 'constant' || high.kind !== 'constant') return
  if (low.value === null || high.value === null) {
    throw new SqlSyntaxError('a bound of BETWEEN is NULL', { position: low.value === null ? low.at : high.at })
  }
  const order = compareValues(high.value, low.value)
  if (order === failed) throw new SqlSyntaxError('the bounds of BETWEEN are of different kinds', { position: high.at })
  if (order < 0) {
    throw new SqlSyntaxError('the lower bound of BETWEEN is above the upper one', {
      position: low.at,
      hint: 'write the smaller number first',
    })
  }
}
