import type { Field } from './field.ts'

// biome-ignore lint/suspicious/noExplicitAny: a field of any type; the members' types are inferred from the table
export type Fields = Readonly<Record<string, Field<any>>>

type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends { readonly optional: true } ? K : never }[keyof F]
type ValueOf<F> = F extends Field<infer T> ? T : never

/** The object that a table of fields describes. */
export type Value<F extends Fields> = { [K in Exclude<keyof F, OptionalKeys<F>>]: ValueOf<F[K]> } & {
  [K in OptionalKeys<F>]?: ValueOf<F[K]> | undefined
}

/** Bytes of a body and back. `decode` throws a RangeError or SyntaxError on what it cannot read. */
export interface Codec<T> {
  encode(value: T): Buffer
  decode(bytes: Uint8Array): T
}

/** Longest JSON body of what clients ask all the time: a heartbeat of 5,000 subscriptions. It is read in one turn. */
export const maxClientBodyBytes = 1024 * 1024

/** The same codec, which refuses to read a longer body. For requests: what we asked for may be long. */
export function bounded<T>(codec: Codec<T>, maxBytes = maxClientBodyBytes): Codec<T> {
  return {
    encode: value => codec.encode(value),
    decode: bytes => {
      if (bytes.length <= maxBytes) return codec.decode(bytes)
      throw new RangeError(`a body of ${bytes.length} bytes: more than maxClientBodyBytes (${maxBytes})`)
    },
  }
}

/** All there is to know about a request code: the one place where it is written down. */
export interface RequestSpec<H extends Fields = Fields, R extends Fields = Fields, B = unknown, S = unknown> {
  /** Java's constant name. */
  readonly name: string
  readonly code: number
  readonly header: H
  readonly reply: R
  readonly body?: Codec<B>
  readonly replyBody?: Codec<S>
  /** Who asks whom: client, broker, name server, tools. */
  readonly direction: string
  /** The section of the protocol page remoting.md, for the generated table. */
  readonly section: string
  /** Java senders never wait for an answer. */
  readonly oneway?: true
}

export type HeaderOf<Q> = Q extends RequestSpec<infer H, Fields, infer _B, infer _S> ? Value<H> : never
export type ReplyHeaderOf<Q> = Q extends RequestSpec<Fields, infer R, infer _B, infer _S> ? Value<R> : never
export type BodyOf<Q> = Q extends { readonly body?: Codec<infer B> } ? B : never
export type ReplyBodyOf<Q> = Q extends { readonly replyBody?: Codec<infer S> } ? S : never

type Draft<H extends Fields, R extends Fields, B, S> = Omit<RequestSpec<H, R, B, S>, 'reply' | 'header'> & {
  readonly header?: H
  readonly reply?: R
}

// biome-ignore lint/complexity/noBannedTypes: a request without header fields has the empty object
type None = {}

export function defineRequest<H extends Fields = None, R extends Fields = None, B = undefined, S = undefined>(
  draft: Draft<H, R, B, S>,
): RequestSpec<H, R, B, S> {
  return { ...draft, header: draft.header ?? ({} as H), reply: draft.reply ?? ({} as R) }
}

/** A header that lacks a required field or holds a value that is none. The message names the field. */
export class HeaderError extends RangeError {
  readonly field: string
  constructor(field: string, problem: string) {
    super(`header field ${field}: ${problem}`)
    this.name = 'HeaderError'
    this.field = field
  }
}

export type ExtFields = Readonly<Record<string, string>>

/** Reads a custom header out of extFields; unknown fields are left alone. Throws HeaderError. */
export function readFields<F extends Fields>(fields: F, ext: ExtFields): Value<F> {
  const value: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    const wire = field.wire ?? name
    const found = ext[wire]
    if (found === undefined) {
      if (field.fallback !== undefined) value[name] = field.fallback
      else if (field.optional !== true) throw new HeaderError(wire, 'is missing')
      continue
    }
    try {
      value[name] = field.parse(found)
    } catch (error) {
      throw new HeaderError(wire, (error as Error).message)
    }
  }
  return value as Value<F>
}

/** Writes a custom header into extFields; what is undefined is left out. */
export function writeFields<F extends Fields>(fields: F, value: Value<F>): Record<string, string> {
  const ext: Record<string, string> = {}
  const given = value as Record<string, unknown>
  for (const [name, field] of Object.entries(fields)) {
    const member = given[name] ?? field.fallback
    if (member !== undefined && member !== null) ext[field.wire ?? name] = field.print(member)
  }
  return ext
}
