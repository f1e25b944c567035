import { javaLongMax } from '../field.ts'
import { type ParseOptions, parseJavaJson } from '../json/parse.ts'
import { JavaDouble, type PrintOptions, printJavaJson } from '../json/print.ts'
import type { Codec } from '../request.ts'
import { shown } from '../shown.ts'
import { slicesOf } from './slices.ts'

/**
 * How a value of a body stands in JSON. `read` gets what the parser made of the member, undefined or null when it is
 * absent, and returns then what Java's field would hold. Throws RangeError on what cannot be read.
 */
export interface Shape<T> {
  read(json: unknown): T
  /** Something for printJavaJson. */
  write(value: T): unknown
  /** Set where the member may be undefined. */
  readonly optional?: true
  /** Of an object: its members, in the order in which they are printed. */
  readonly members?: readonly (readonly [string, Shape<unknown>])[]
  /** Of a map: the shape of what it holds. */
  readonly entry?: Shape<unknown>
  /** Of a map whose keys are objects: their shape. */
  readonly key?: Shape<unknown>
  /** Of a list: the shape of what it holds. */
  readonly item?: Shape<unknown>
}

const absent = (json: unknown): json is undefined | null => json === undefined || json === null

function wrong(json: unknown, kind: string): never {
  throw new RangeError(`${typeof json === 'object' ? 'a structure' : shown(String(json))} is not ${kind}`)
}

function numberOf(json: unknown, kind: string): number {
  const value = typeof json === 'string' && json.trim() !== '' ? Number(json) : json
  return typeof value === 'number' && !Number.isNaN(value) ? value : wrong(json, kind)
}

function integerOf(json: unknown): number {
  if (json === 9223372036854775807n || json === '9223372036854775807') return javaLongMax
  const value = numberOf(json, 'an integer')
  return Number.isSafeInteger(value) ? value : wrong(json, 'an integer that we can hold')
}

const same = (value: unknown): unknown => value

/** A Java int or long below 2^53; Long.MAX_VALUE reads as `javaLongMax`. */
export const integer = (fallback = 0): Shape<number> => ({
  read: json => (absent(json) ? fallback : integerOf(json)),
  write: same,
})

/** A version that is only compared: Go's client sends nanoseconds, which a number holds rounded. */
export const roundedLong: Shape<number> = {
  read: json => {
    if (absent(json)) return 0
    const value = typeof json === 'bigint' ? Number(json) : numberOf(json, 'an integer')
    return Number.isInteger(value) ? value : wrong(json, 'an integer')
  },
  write: value => (Number.isSafeInteger(value) ? value : BigInt(value)),
}

/** A long of which all 64 bits carry meaning. */
export const bigLong: Shape<bigint> = {
  read: json => {
    if (absent(json)) return 0n
    if (typeof json === 'bigint' || Number.isSafeInteger(json)) return BigInt(json as bigint)
    return typeof json === 'string' && /^[+-]?\d{1,64}$/.test(json) ? BigInt(json) : wrong(json, 'an integer')
  },
  write: same,
}

export const double: Shape<number> = {
  read: json => (absent(json) ? 0 : numberOf(json, 'a number')),
  write: value => new JavaDouble(value),
}

export const boolean = (fallback = false): Shape<boolean> => ({
  read: json => {
    if (absent(json)) return fallback
    if (typeof json === 'boolean') return json
    if (typeof json === 'number') return json === 1
    return typeof json === 'string' ? json.toLowerCase() === 'true' || json === '1' : wrong(json, 'a boolean')
  },
  write: same,
})

function stringOf(json: unknown): string {
  return typeof json === 'object' ? wrong(json, 'a text') : String(json)
}

/** A text that every sender gives; absent reads as empty. */
export const string: Shape<string> = { read: json => (absent(json) ? '' : stringOf(json)), write: same }

/** The member may be undefined, and is left out then. */
export function maybe<T>(shape: Shape<T>): Shape<T | undefined> & { readonly optional: true } {
  return {
    read: json => (absent(json) ? undefined : shape.read(json)),
    write: value => (value === undefined ? undefined : shape.write(value)),
    optional: true,
  }
}

/** A Java enum in its constants' order: written by name, read by name or number. Undefined for an unknown one, as in Java. */
export function oneOf<const N extends readonly string[]>(
  ...names: N
): Shape<N[number] | undefined> & { readonly optional: true } {
  return {
    read: json => names.find((name, ordinal) => name === json || ordinal === json || String(ordinal) === json),
    write: same,
    optional: true,
  }
}

/** A Java enum that reads as `fallback` where the name is absent or unknown. */
export function oneOfOr<const N extends readonly string[]>(fallback: N[number], ...names: N): Shape<N[number]> {
  const { read } = oneOf(...names)
  return { read: json => read(json) ?? fallback, write: same }
}

/** JSON that is passed on as it came. */
export const anyJson: Shape<unknown> & { readonly optional: true } = {
  read: json => json ?? undefined,
  write: same,
  optional: true,
}

export function list<T>(item: Shape<T>): Shape<T[]> {
  return {
    read: json => {
      if (absent(json)) return []
      return Array.isArray(json) ? json.map(one => item.read(one)) : wrong(json, 'a list')
    },
    write: values => values.map(value => item.write(value)),
    item: item as Shape<unknown>,
  }
}

/** A Java int[]: differs from a list of integers in files, where it stands on one line. */
export const intArray: Shape<number[]> = { read: list(integer()).read, write: values => Int32Array.from(values) }

function entriesOf(json: unknown): Iterable<[unknown, unknown]> {
  if (json instanceof Map) return json
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.entries(json) : wrong(json, 'a map')
}

/** A map whose keys are texts. */
export function table<T>(member: Shape<T>): Shape<Map<string, T>> {
  return mapOf(stringOf, member)
}

/** A map whose keys are integers, bare or quoted (remoting.md 5.6). */
export function integerTable<T>(member: Shape<T>): Shape<Map<number, T>> {
  return mapOf(integerOf, member)
}

/** A map whose keys are objects: bare, or as a text that holds their JSON (remoting.md 5.2). */
export function objectTable<K, T>(key: Shape<K>, member: Shape<T>): Shape<Map<K, T>> {
  const readKey = (json: unknown) => key.read(typeof json === 'string' ? parseJavaJson(json) : json)
  return {
    ...mapOf(readKey, member),
    write: value => new Map([...value].map(([k, v]) => [key.write(k), member.write(v)])),
    key: key as Shape<unknown>,
  }
}

function mapOf<K, T>(readKey: (json: unknown) => K, member: Shape<T>): Shape<Map<K, T>> {
  return {
    read: json => {
      const read = new Map<K, T>()
      if (!absent(json)) for (const [k, v] of entriesOf(json)) read.set(readKey(k), member.read(v))
      return read
    },
    write: value => new Map([...value].map(([k, v]) => [k, member.write(v)])),
    entry: member as Shape<unknown>,
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a shape of any type; the members' types are inferred from the table
export type Shapes = Readonly<Record<string, Shape<any>>>
type OptionalKeys<S extends Shapes> = { [K in keyof S]: S[K] extends { readonly optional: true } ? K : never }[keyof S]
type TypeOf<S> = S extends Shape<infer T> ? T : never
export type BeanOf<S extends Shapes> = { [K in Exclude<keyof S, OptionalKeys<S>>]: TypeOf<S[K]> } & {
  [K in OptionalKeys<S>]?: TypeOf<S[K]> | undefined
}
/** The value that a shape describes. */
export type ValueOfShape<S> = S extends Shape<infer T> ? T : never

/** Java objects by their members: printed in alphabetical order, absent ones left out, unknown ones ignored. */
export function bean<S extends Shapes>(shapes: S): Shape<BeanOf<S>> {
  const members = Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1))
  const known = new Set(Object.keys(shapes))
  return {
    members,
    read: json => {
      const object = json ?? {}
      if (typeof object !== 'object' || Array.isArray(object) || object instanceof Map) return wrong(json, 'an object')
      const find = finder(object as Record<string, unknown>, known)
      const value: Record<string, unknown> = {}
      for (const [name, shape] of members) {
        const read = readMember(name, shape, find(name))
        if (read !== undefined) value[name] = read
      }
      return value as BeanOf<S>
    },
    write: value => {
      const given = value as Record<string, unknown>
      const json: Record<string, unknown> = {}
      for (const [name, shape] of members) if (!absent(given[name])) json[name] = shape.write(given[name])
      return json
    },
  }
}

function readMember(name: string, shape: Shape<unknown>, json: unknown): unknown {
  try {
    return shape.read(json)
  } catch (error) {
    throw new RangeError(`${name}: ${(error as Error).message}`, { cause: error })
  }
}

const smart = (name: string): string => name.replaceAll('_', '').toLowerCase()

/**
 * By name, and as fastjson's smart match does by name without case and underscores (remoting.md 5.2): a member that is
 * absent may stand under another spelling, which then is a name that nobody knows.
 */
function finder(json: Record<string, unknown>, known: ReadonlySet<string>): (name: string) => unknown {
  let others: ReadonlyMap<string, unknown> | undefined
  return name => {
    if (Object.hasOwn(json, name)) return json[name]
    others ??= strangers(json, known)
    return others.size === 0 ? undefined : others.get(smart(name))
  }
}

const none: ReadonlyMap<string, unknown> = new Map()

/** Members under names that nobody knows. Ten thousand topics without attributes have none each: they share one map. */
function strangers(json: Record<string, unknown>, known: ReadonlySet<string>): ReadonlyMap<string, unknown> {
  let found: Map<string, unknown> | undefined
  for (const key of Object.keys(json)) {
    if (known.has(key)) continue
    found ??= new Map()
    found.set(smart(key), json[key])
  }
  return found ?? none
}

/**
 * Members of a body that clients send all the time: 5,000 subscriptions have 60,000. They are read in one turn, so that
 * they are few where the reader is slow.
 */
export const clientJson: ParseOptions = { maxMembers: 65_536, maxTolerantMembers: 16_384 }

/** The body that is this value alone, as JSON; compact unless asked otherwise. `decode` throws SyntaxError or RangeError. */
export function jsonBody<T>(shape: Shape<T>, options?: PrintOptions, limits?: ParseOptions): Codec<T> {
  return {
    encode: value => Buffer.from(printJavaJson(shape.write(value), options)),
    decode: bytes => {
      const json = parseJavaJson(bytes, limits)
      return absent(json) ? wrong(json, 'a body') : shape.read(json)
    },
  }
}

/** A codec of something that may be too large to be encoded in one turn of the loop. */
export interface SlicedCodec<T> extends Codec<T> {
  /** The same bytes as `encode`, some at a time: what the value holds may change between two slices. */
  slices(value: T): Generator<Buffer>
}

/** A configuration file: the same in fastjson's pretty form (store.md 5.2). */
export function jsonFile<T>(shape: Shape<T>): SlicedCodec<T> {
  return slicedBody(shape, { style: 'file' })
}

/** A body of tables that may be large. */
export function slicedBody<T>(shape: Shape<T>, options: PrintOptions = {}): SlicedCodec<T> {
  return { ...jsonBody(shape, options), slices: value => slicesOf(shape, value, options) }
}

/** A body that is text, e.g. properties of a configuration. */
export const textBody: Codec<string> = {
  encode: value => Buffer.from(value),
  decode: bytes => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
}
