import type { ProtoReader } from './reader.ts'
import type { ProtoWriter } from './writer.ts'

/** How a value is written: 0 varint, 2 with its length, 5 four bytes. */
export type Wire = 0 | 2 | 5

/** A type of values, and what a field without one has. */
export interface ProtoType<T> {
  readonly wire: Wire
  readonly zero: T
  readonly isZero: (value: T) => boolean
  readonly write: (writer: ProtoWriter, value: T) => void
  readonly read: (reader: ProtoReader) => T
}

/** A field of a message. */
export interface ProtoField<T> {
  /** Whether it may come so; a field that comes another way is passed over, as one that nobody knows. */
  readonly takes: (wire: number) => boolean
  /** For an absent one; a new one each time where it can be changed. */
  readonly absent: () => T
  readonly write: (writer: ProtoWriter, number: number, value: T) => void
  /** `before`: what came of earlier parts of the same field. */
  readonly read: (reader: ProtoReader, wire: number, before: T) => T
}

const plain = <T>(wire: Wire, zero: T, parts: Pick<ProtoType<T>, 'write' | 'read'>): ProtoType<T> => ({
  ...{ wire, zero, isZero: value => value === zero },
  ...parts,
})

export const int32: ProtoType<number> = plain(0, 0, {
  write: (writer, value) => writer.varint(value),
  read: reader => reader.int32(),
})
/** As a number: offsets and times fit. */
export const int64: ProtoType<number> = plain(0, 0, {
  write: (writer, value) => writer.varint(value),
  read: reader => reader.varint(),
})
export const bool: ProtoType<boolean> = plain(0, false, {
  write: (writer, value) => writer.varint(value ? 1 : 0),
  read: reader => reader.varint() !== 0,
})
export const float: ProtoType<number> = plain(5, 0, {
  write: (writer, value) => writer.float(value),
  read: reader => reader.float(),
})
export const text: ProtoType<string> = plain(2, '', {
  write: (writer, value) => writer.text(value),
  read: reader => reader.text(),
})
const noBytes = Buffer.alloc(0)
/** Read as a view of the message. */
export const blob: ProtoType<Uint8Array> = {
  ...{ wire: 2, zero: noBytes, isZero: value => value.length === 0 },
  write: (writer, value) => writer.blob(value),
  read: reader => reader.blob(),
}

/** A field as proto3 has it by default: what is zero is not sent. */
export const one = <T>(type: ProtoType<T>): ProtoField<T> => ({
  takes: wire => wire === type.wire,
  absent: () => type.zero,
  write: (writer, number, value) => {
    if (type.isZero(value)) return
    writer.tag(number, type.wire)
    type.write(writer, value)
  },
  read: reader => type.read(reader),
})

/** A field that may be missing, which is not the same as zero. Messages are always so. */
export const optional = <T>(type: ProtoType<T>): ProtoField<T | undefined> => ({
  takes: wire => wire === type.wire,
  absent: () => undefined,
  write: (writer, number, value) => {
    if (value === undefined) return
    writer.tag(number, type.wire)
    type.write(writer, value)
  },
  read: reader => type.read(reader),
})

/** Any number of them. Numbers are written packed, and read either way. */
export const repeated = <T>(type: ProtoType<T>): ProtoField<readonly T[]> => ({
  takes: wire => wire === type.wire || wire === 2,
  absent: () => [],
  write: (writer, number, values) => {
    if (values.length === 0) return
    if (type.wire === 2) {
      for (const value of values) {
        writer.tag(number, 2)
        type.write(writer, value)
      }
      return
    }
    writer.tag(number, 2)
    writer.nested(() => {
      for (const value of values) type.write(writer, value)
    })
  },
  read: (reader, wire, before) => {
    const values = before as T[]
    if (type.wire === 2 || wire !== 2) values.push(type.read(reader))
    else for (const packed = reader.nested(); !packed.isAtEnd; ) values.push(type.read(packed))
    return values
  },
})

/** Names and texts. */
export const texts: ProtoField<ReadonlyMap<string, string>> = {
  takes: wire => wire === 2,
  absent: () => new Map(),
  write: (writer, number, values) => {
    for (const [name, value] of values) {
      writer.tag(number, 2)
      writer.nested(() => {
        writer.tag(1, 2)
        writer.text(name)
        writer.tag(2, 2)
        writer.text(value)
      })
    }
  },
  read: (reader, _wire, before) => {
    const entry = reader.nested()
    let name = ''
    let value = ''
    while (!entry.isAtEnd) {
      const tag = entry.varint()
      if (tag === 10) name = entry.text()
      else if (tag === 18) value = entry.text()
      else entry.skip(tag % 8)
    }
    return (before as Map<string, string>).set(name, value)
  },
}
