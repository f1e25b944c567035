import type { SqlNumber } from './value.ts'

export type OrderOperator = '<' | '<=' | '>' | '>='
export type TextOperator = 'CONTAINS' | 'STARTSWITH' | 'ENDSWITH'

/** A parsed expression. Each node knows where it begins in the text. */
export type Node =
  | { readonly kind: 'constant'; readonly value: string | boolean | SqlNumber | null; readonly at: number }
  | { readonly kind: 'property'; readonly name: string; readonly at: number }
  | { readonly kind: 'negate'; readonly operand: Node; readonly at: number }
  | { readonly kind: 'not'; readonly operand: Node; readonly at: number }
  /** A property that stands where a truth is wanted: false if there is one, whatever it says, and unknown if not. */
  | { readonly kind: 'truth'; readonly operand: Node; readonly at: number }
  /** Two or more. A chain of one operator is one node, so that long chains are not deep. */
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Node[]; readonly at: number }
  | { readonly kind: 'equal'; readonly left: Node; readonly right: Node; readonly at: number }
  | { readonly kind: 'isNull'; readonly operand: Node; readonly at: number }
  | {
      readonly kind: 'order'
      readonly operator: OrderOperator
      readonly left: Node
      readonly right: Node
      readonly at: number
    }
  | {
      readonly kind: 'in'
      readonly name: string
      readonly values: ReadonlySet<string>
      readonly not: boolean
      readonly at: number
    }
  | {
      readonly kind: 'text'
      readonly operator: TextOperator
      readonly operand: Node
      readonly search: string
      readonly not: boolean
      readonly at: number
    }

const truths: ReadonlySet<Node['kind']> = new Set([
  'not',
  'truth',
  'and',
  'or',
  'equal',
  'isNull',
  'order',
  'in',
  'text',
])

/** Whether it can only come to true, false or unknown. NULL counts, as in Java. */
export function isTruth(node: Node): boolean {
  if (node.kind === 'constant') return node.value === null || typeof node.value === 'boolean'
  return truths.has(node.kind)
}
