import { layOutRecord, RecordLayout } from '@skua-mq/protocol'

const nameEnd = 1
const pairEnd = 2

/**
 * The properties of one stored record, looked up in its bytes: a filter asks for one or two of them, so that a map of all
 * would cost more than the search. One object serves one record after another.
 */
export class RecordProperties {
  private readonly layout = new RecordLayout()
  private readonly names = new Map<string, Uint8Array>()
  private bytes: Uint8Array = new Uint8Array(0)
  private start = 0
  private end = 0

  /** Turns to the record in `bytes[start, end)`; false when it is none. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const { layout } = this
    if (!layOutRecord(bytes, start, { end, layout })) return false
    this.bytes = bytes
    this.start = layout.propertiesAt
    this.end = layout.propertiesAt + layout.propertiesLength
    return true
  }

  /** Turns to stored properties that lie in `bytes[from, to)`. */
  readStored(bytes: Uint8Array, { from, to }: { from: number; to: number }): void {
    this.bytes = bytes
    this.start = from
    this.end = to
  }

  /**
   * A property's value; undefined when the record has none of that name. Of two pairs of one name the last counts, and a
   * pair without a value counts nothing, as for Java's reader.
   */
  readonly find = (name: string): string | undefined => {
    const { bytes, end } = this
    const wanted = this.bytesOf(name)
    const length = wanted.length
    let valueAt = -1
    let valueEnd = -1
    for (let at = this.start; at < end; ) {
      const isNamed = at + length < end && bytes[at + length] === nameEnd && begins(bytes, at, wanted)
      let stop = isNamed ? at + length + 1 : at
      while (stop < end && bytes[stop] !== pairEnd) stop++
      if (isNamed && stop > at + length + 1) {
        valueAt = at + length + 1
        valueEnd = stop
      }
      at = stop + 1
    }
    if (valueAt < 0) return undefined
    return Buffer.from(bytes.buffer, bytes.byteOffset + valueAt, valueEnd - valueAt).toString('utf8')
  }

  private bytesOf(name: string): Uint8Array {
    const known = this.names.get(name)
    if (known !== undefined) return known
    if (this.names.size >= maxNames) this.names.clear()
    const encoded = new Uint8Array(Buffer.from(name))
    this.names.set(name, encoded)
    return encoded
  }
}

/** How many names are kept as bytes. */
const maxNames = 10_000

function begins(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false
  return true
}
