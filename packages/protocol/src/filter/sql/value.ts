import { compareDoubles, javaDouble, javaInt, javaLong, maxLong } from './java-number.ts'

/** A number of the expression's text. Properties are text, and become numbers only to be compared with one of these. */
export type SqlNumber =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'long'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }

/** What a part of an expression comes to; null is SQL's unknown. */
export type SqlValue = string | boolean | SqlNumber | null

/** Where Java throws while it evaluates: the whole expression comes to nothing then, whatever else is in it. */
export const failed = undefined
export type Failed = undefined

/** A whole number's literal, without the L that may follow it. Undefined above 2^63 - 1. */
export function wholeNumber(digits: string): SqlNumber | undefined {
  // Making a bigint of digits costs their square, and the literal begins with none that is 0.
  if (digits.length > 19) return undefined
  const value = BigInt(digits)
  if (value > maxLong) return undefined
  return value <= 0x7fffffffn ? { type: 'int', value: Number(value) } : { type: 'long', value }
}

export function negated(number: SqlNumber): SqlNumber {
  if (number.type === 'long') return { type: 'long', value: BigInt.asIntN(64, -number.value) }
  if (number.type === 'int') return { type: 'int', value: -number.value | 0 }
  return { type: 'double', value: -number.value }
}

/**
 * Java's comparison of two values that are not null: negative, 0 or positive. Text turns into the type that it meets;
 * types that never meet count as smaller, and what Java cannot convert or cast has failed.
 */
export function compareValues(
  left: string | boolean | SqlNumber,
  right: string | boolean | SqlNumber,
): number | Failed {
  if (typeof left === 'string') return compareText(left, right)
  if (typeof left === 'boolean') {
    // Java casts the left side to text where the right one is text, which no Boolean survives.
    if (typeof right === 'string') return failed
    return typeof right === 'boolean' ? Number(left) - Number(right) : -1
  }
  if (typeof right === 'boolean') return -1
  if (typeof right !== 'string') return compareNumbers(left, right)
  const converted = textAs(left.type, right)
  return converted === failed ? failed : compareNumbers(left, converted)
}

function compareText(left: string, right: string | boolean | SqlNumber): number | Failed {
  if (typeof right === 'string') return left === right ? 0 : left < right ? -1 : 1
  if (typeof right === 'boolean') return Number(isTrue(left)) - Number(right)
  const converted = textAs(right.type, left)
  return converted === failed ? failed : compareNumbers(converted, right)
}

/** Java's Boolean.valueOf: everything but `true`, in any case, is false. */
function isTrue(text: string): boolean {
  return text.length === 4 && text.toLowerCase() === 'true'
}

function textAs(type: SqlNumber['type'], text: string): SqlNumber | Failed {
  if (type === 'int') {
    const value = javaInt(text)
    return value === undefined ? failed : { type, value }
  }
  if (type === 'long') {
    const value = javaLong(text)
    return value === undefined ? failed : { type, value }
  }
  const value = javaDouble(text)
  return value === undefined ? failed : { type, value }
}

function compareNumbers(left: SqlNumber, right: SqlNumber): number {
  if (left.type === 'double' || right.type === 'double') {
    return compareDoubles(Number(left.value), Number(right.value))
  }
  return left.value < right.value ? -1 : left.value > right.value ? 1 : 0
}
