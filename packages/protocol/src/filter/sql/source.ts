/** A property's value, or undefined where the message has none of that name. */
export type PropertyLookup = (name: string) => string | undefined

/** A property's name, or a text that values are compared with, as both who asks and who reads bytes want it. */
export interface SqlText {
  readonly text: string
  readonly bytes: Uint8Array
}

/** Where an expression finds the properties of a message: values that are only compared need not become strings. */
export interface PropertySource {
  /** Undefined where the message has none of that name. */
  text(name: SqlText): string | undefined
  /** Whether the value is `wanted`; undefined where the message has none of that name. */
  is(name: SqlText, wanted: SqlText): boolean | undefined
  /** The value where it is a whole number of at most nine ASCII digits, a minus before them or not; NaN for all else, none included. */
  shortInt(name: SqlText): number
}

export function sqlText(text: string): SqlText {
  return { text, bytes: new Uint8Array(Buffer.from(text)) }
}

/** Whether bytes are equal exactly where texts are: not so with what stands for bytes, or for halves of characters, that are none. */
export function isSameInBytes({ text, bytes }: SqlText): boolean {
  return !text.includes('\ufffd') && Buffer.from(bytes).toString('utf8') === text
}

/** The properties by a function from names to values. */
export class LookedUp implements PropertySource {
  private readonly lookup: PropertyLookup

  constructor(lookup: PropertyLookup) {
    this.lookup = lookup
  }

  text(name: SqlText): string | undefined {
    return this.lookup(name.text)
  }

  is(name: SqlText, wanted: SqlText): boolean | undefined {
    const value = this.lookup(name.text)
    return value === undefined ? undefined : value === wanted.text
  }

  shortInt(): number {
    return Number.NaN
  }
}
