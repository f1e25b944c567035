import { shown } from './shown.ts'

/**
 * One field of a custom header as a value: how its text reads and prints. The text forms are Java's
 * (protocol page remoting.md 2.4).
 */
export interface Field<T> {
  /** Throws a RangeError that says what is wrong with the text. */
  parse(text: string): T
  print(value: T): string
  /** Set where the field may be missing. */
  readonly optional?: true
  /** The name on the wire, where it is not the member's name. */
  readonly wire?: string
  /** Taken when the sender left the field out; such a field is always sent. */
  readonly fallback?: T
}

export interface OptionalField<T> extends Field<T> {
  readonly optional: true
}

export const text: Field<string> = { parse: value => value, print: value => value }

/** More digits than any long has, so that leading zeros pass. */
const decimal = /^[+-]?\d{1,64}$/

function integer(value: string, { min, max, kind }: { min: number; max: number; kind: string }): number {
  const parsed = decimal.test(value) ? Number(value) : Number.NaN
  if (!(parsed >= min && parsed <= max)) throw new RangeError(`${shown(value)} is not ${kind}`)
  return parsed
}

/** Signed 32 bits. */
export const int: Field<number> = {
  parse: value => integer(value, { min: -0x8000_0000, max: 0x7fff_ffff, kind: 'an int' }),
  print: String,
}

/** Java's Long.MAX_VALUE, which its clients send for "the end". It reads as this number (2^63, not exact). */
export const javaLongMax = 2 ** 63
/** Long.MIN_VALUE, which means "before everything". */
export const javaLongMin = -(2 ** 63)

/** Signed 64 bits as a number: offsets, sizes and times stay below 2^53, but for `javaLongMax` and `javaLongMin`. */
export const long: Field<number> = {
  parse: value => {
    if (value === '9223372036854775807') return javaLongMax
    if (value === '-9223372036854775808') return javaLongMin
    return integer(value, {
      min: Number.MIN_SAFE_INTEGER,
      max: Number.MAX_SAFE_INTEGER,
      kind: 'a long that we can hold',
    })
  },
  print: printLong,
}

/** Exact also where a number prints rounded. */
export function printLong(value: number): string {
  if (value === javaLongMax) return '9223372036854775807'
  return value === javaLongMin ? '-9223372036854775808' : String(value)
}

/**
 * A version whose only use is to be compared: Go's client sends nanoseconds, which a number holds rounded. Rounding keeps
 * equal versions equal and later ones not smaller.
 */
export const version: Field<number> = {
  parse: value => {
    if (!decimal.test(value)) throw new RangeError(`${shown(value)} is not a long`)
    return Number(value)
  },
  print: value => BigInt(value).toString(),
}

/** Only "true", in any case, is true. */
export const bool: Field<boolean> = { parse: value => value.toLowerCase() === 'true', print: String }

export const double: Field<number> = {
  parse: value => {
    const parsed = Number(value)
    if (value.trim() === '' || Number.isNaN(parsed)) throw new RangeError(`${shown(value)} is not a number`)
    return parsed
  },
  print: value => (Number.isInteger(value) ? value.toFixed(1) : String(value)),
}

export function optional<T>(field: Field<T>): OptionalField<T> {
  return { ...field, optional: true }
}

/** A field that a sender may leave out, with what that means; we always send it, as Java does with primitives. */
export function withDefault<T>(field: Field<T>, fallback: T): Field<T> {
  return { ...field, fallback }
}

/** The same field under another name on the wire: `topic: as('b', text)`. */
export function as<T>(wire: string, field: OptionalField<T>): OptionalField<T>
export function as<T>(wire: string, field: Field<T>): Field<T>
export function as<T>(wire: string, field: Field<T>): Field<T> {
  return { ...field, wire }
}
