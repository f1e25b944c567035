import type { ProtoField, ProtoType } from './field.ts'
import { ProtoReader } from './reader.ts'
import { ProtoWriter } from './writer.ts'

// biome-ignore lint/suspicious/noExplicitAny: a field of any type; the members' types are inferred from the table
export type ProtoFields = Readonly<Record<string, readonly [number: number, field: ProtoField<any>]>>

type FieldValue<F> = F extends readonly [number, ProtoField<infer T>] ? T : never

/** The object that a table of fields describes. */
export type ProtoValue<F extends ProtoFields> = { readonly [K in keyof F]: FieldValue<F[K]> }

/** What a message is made of: the fields that are given, and nothing in the others. */
export type ProtoDraft<F extends ProtoFields> = Partial<ProtoValue<F>>

/** A message of protocol buffers, which others may hold as a field. */
export interface ProtoMessage<F extends ProtoFields> extends ProtoType<ProtoDraft<F>> {
  readonly name: string
  readonly fields: F
  encode(value: ProtoDraft<F>): Buffer
  /** Throws ProtoError. Unknown fields are passed over; every known one is there. Bytes are views of these. */
  decode(bytes: Uint8Array): ProtoValue<F>
}

/** The value that a message decodes to. */
export type Decoded<M> = M extends ProtoMessage<infer F> ? ProtoValue<F> : never
/** What it is encoded from. */
export type Drafted<M> = M extends ProtoMessage<infer F> ? ProtoDraft<F> : never

interface KnownField {
  readonly name: string
  readonly number: number
  readonly field: ProtoField<unknown>
}

/** All there is to know about a message: its fields with their numbers, once. */
export function message<const F extends ProtoFields>(name: string, fields: F): ProtoMessage<F> {
  const known: readonly KnownField[] = Object.entries(fields).map(([key, [number, field]]) => ({
    ...{ name: key, number, field },
  }))
  const byNumber: (KnownField | undefined)[] = []
  for (const each of known) byNumber[each.number] = each

  const put = (writer: ProtoWriter, value: Record<string, unknown>): void => {
    for (const { name: key, number, field } of known) {
      const given = value[key]
      if (given !== undefined) field.write(writer, number, given)
    }
  }
  const get = (reader: ProtoReader): Record<string, unknown> => {
    const value: Record<string, unknown> = {}
    for (const { name: key, field } of known) value[key] = field.absent()
    while (!reader.isAtEnd) {
      const tag = reader.varint()
      const found = byNumber[Math.floor(tag / 8)]
      if (found === undefined || !found.field.takes(tag % 8)) reader.skip(tag % 8)
      else value[found.name] = found.field.read(reader, tag % 8, value[found.name])
    }
    return value
  }
  return {
    ...{ name, fields, wire: 2, isZero: () => false, zero: {} },
    write: (writer, value) => writer.nested(() => put(writer, value as Record<string, unknown>)),
    read: reader => get(reader.nested()) as ProtoValue<F>,
    encode: value => {
      const writer = new ProtoWriter()
      put(writer, value as Record<string, unknown>)
      return writer.done()
    },
    decode: bytes => get(new ProtoReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))) as ProtoValue<F>,
  }
}
