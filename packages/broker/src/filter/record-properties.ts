import { layOutRecord, type PropertySource, RecordLayout, type SqlText } from '@skua-mq/protocol'

const nameEnd = 1
const pairEnd = 2
const minus = 0x2d
const zero = 0x30
/** So many digits are a Java int whatever they are. */
const shortDigits = 9
/** Whoever looks for more names than that in one record has all of its properties noted: each search goes through all of them. */
const searchesOfOne = 16

/** Where the value of a property lies, and its text once somebody has asked for it. */
interface Place {
  readonly at: number
  readonly end: number
  text: string | undefined
}

/**
 * The properties of one stored record, looked up in its bytes: a filter asks for one or two of them, so that a map of all
 * would cost more than the search. One object serves one record after another.
 */
export class RecordProperties implements PropertySource {
  private readonly layout = new RecordLayout()
  private readonly names = new Map<string, Uint8Array>()
  private bytes: Uint8Array = new Uint8Array(0)
  private start = 0
  private end = 0
  /** Where the value lies that was found last. */
  private valueAt = 0
  private valueEnd = 0
  private sought: Uint8Array | undefined
  private searches = 0
  /** Of a record in which much is looked for: its properties by name, as bytes. */
  private places: Map<string, Place> | undefined
  private place: Place | undefined
  private readonly keys = new WeakMap<Uint8Array, string>()

  /** Turns to the record in `bytes[start, end)`; false when it is none. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const { layout } = this
    if (!layOutRecord(bytes, start, { end, layout })) return false
    this.bytes = bytes
    this.start = layout.propertiesAt
    this.end = layout.propertiesAt + layout.propertiesLength
    this.begin()
    return true
  }

  /** Turns to stored properties that lie in `bytes[from, to)`. */
  readStored(bytes: Uint8Array, { from, to }: { from: number; to: number }): void {
    this.bytes = bytes
    this.start = from
    this.end = to
    this.begin()
  }

  private begin(): void {
    this.sought = undefined
    this.searches = 0
    this.places = undefined
    this.place = undefined
  }

  /**
   * A property's value; undefined when the record has none of that name. Of two pairs of one name the last counts, and a
   * pair without a value counts nothing, as for Java's reader.
   */
  readonly find = (name: string): string | undefined => (this.seek(this.bytesOf(name)) ? this.value() : undefined)

  text(name: SqlText): string | undefined {
    return this.seek(name.bytes) ? this.value() : undefined
  }

  is(name: SqlText, wanted: SqlText): boolean | undefined {
    if (!this.seek(name.bytes)) return undefined
    const { length } = wanted.bytes
    return this.valueEnd - this.valueAt === length && begins(this.bytes, this.valueAt, wanted.bytes)
  }

  shortInt(name: SqlText): number {
    if (!this.seek(name.bytes)) return Number.NaN
    const { bytes, valueEnd } = this
    const isNegative = bytes[this.valueAt] === minus
    let at = isNegative ? this.valueAt + 1 : this.valueAt
    if (at === valueEnd || valueEnd - at > shortDigits) return Number.NaN
    let value = 0
    for (; at < valueEnd; at++) {
      const digit = bytes[at]! - zero
      if (digit < 0 || digit > 9) return Number.NaN
      value = value * 10 + digit
    }
    if (!isNegative) return value
    return value === 0 ? Number.NaN : -value
  }

  /** Finds the value of a name; false when there is none. */
  private seek(wanted: Uint8Array): boolean {
    if (wanted === this.sought) return this.valueAt >= 0
    if (++this.searches > searchesOfOne) return this.seekPlace(wanted)
    const { bytes, end } = this
    const length = wanted.length
    const first = wanted[0]
    this.sought = wanted
    this.valueAt = -1
    for (let at = this.start; at < end; ) {
      const isNamed =
        bytes[at] === first && at + length < end && bytes[at + length] === nameEnd && begins(bytes, at, wanted)
      let stop = isNamed ? at + length + 1 : at
      while (stop < end && bytes[stop] !== pairEnd) stop++
      if (isNamed && stop > at + length + 1) {
        this.valueAt = at + length + 1
        this.valueEnd = stop
      }
      at = stop + 1
    }
    return this.valueAt >= 0
  }

  private seekPlace(wanted: Uint8Array): boolean {
    this.places ??= this.allPlaces()
    let key = this.keys.get(wanted)
    if (key === undefined) {
      key = Buffer.from(wanted).toString('latin1')
      this.keys.set(wanted, key)
    }
    const place = this.places.get(key)
    this.sought = wanted
    this.place = place
    this.valueAt = place === undefined ? -1 : place.at
    this.valueEnd = place === undefined ? -1 : place.end
    return place !== undefined
  }

  private allPlaces(): Map<string, Place> {
    const { bytes, end } = this
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const places = new Map<string, Place>()
    for (let at = this.start; at < end; ) {
      const found = all.indexOf(pairEnd, at)
      const stop = found < 0 || found > end ? end : found
      const name = all.indexOf(nameEnd, at)
      if (name >= 0 && name + 1 < stop)
        places.set(all.toString('latin1', at, name), { at: name + 1, end: stop, text: undefined })
      at = stop + 1
    }
    return places
  }

  private value(): string {
    const { place } = this
    if (place === undefined) return this.decoded()
    place.text ??= this.decoded()
    return place.text
  }

  private decoded(): string {
    const { bytes, valueAt, valueEnd } = this
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
