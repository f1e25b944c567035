const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const comma = 0x2c

export interface MembersWanted {
  /** Which objects are walked through, by the keys that lead to them; the outermost has none. */
  readonly opens: (path: readonly string[]) => boolean
  /** A member of an object that is walked through, and is not walked through itself: the bytes of its value. */
  readonly found: (path: readonly string[], bytes: Buffer, start: number, end: number) => void
}

/**
 * Walks through one large JSON object a slice at a time, so that no turn of the loop is spent on it. Members of the objects
 * that are opened are handed out as bytes, in their order. Strict JSON: keys in double quotes. Errors are SyntaxErrors.
 */
export class JsonMembers {
  private at = 0
  private readonly bytes: Buffer
  private readonly wanted: MembersWanted
  /** Keys of the objects around the place that is read. */
  private readonly path: string[] = []
  private expects: 'value' | 'key' | 'colon' | 'end' = 'value'
  /** Where the value began that is read at the moment; -1 for none. */
  private valueStart = -1
  /** Objects and arrays inside that value around the place that is read. */
  private inner = 0
  /** Where the text began that is read at the moment; -1 for none. */
  private textStart = -1

  constructor(bytes: Buffer, wanted: MembersWanted) {
    this.bytes = bytes
    this.wanted = wanted
  }

  /** Reads on for so many bytes; true when the object was read to its end. */
  step(byteCount: number): boolean {
    const until = Math.min(this.bytes.length, this.at + byteCount)
    while (this.at < until) {
      if (this.textStart >= 0) this.text(until)
      else this.sign(this.bytes[this.at] as number)
      if (this.expects === 'end') return true
    }
    if (this.at >= this.bytes.length) throw new SyntaxError('the JSON ends too soon')
    return false
  }

  private text(until: number): void {
    const { bytes } = this
    let { at } = this
    for (; at < until; at++) {
      const char = bytes[at]
      if (char === backslash) at++
      else if (char === quote) {
        this.at = at + 1
        this.textEnds()
        return
      }
    }
    this.at = at
  }

  private textEnds(): void {
    const start = this.textStart
    this.textStart = -1
    if (this.expects !== 'key') return
    this.path.push(JSON.parse(this.bytes.toString('utf8', start, this.at)) as string)
    this.expects = 'colon'
  }

  private sign(char: number): void {
    const at = this.at++
    if (isWhite(char)) return
    if (char === quote) {
      if (this.valueStart < 0 && this.expects === 'value') this.valueStart = at
      else if (this.valueStart < 0 && this.expects !== 'key') this.wrong(at)
      this.textStart = at
      return
    }
    if (char === 0x7b || char === 0x5b) this.begin(at, char)
    else if (char === 0x7d || char === 0x5d) this.end(at, char)
    else if (this.valueStart >= 0) {
      if (char === comma && this.inner === 0) this.leave(at)
    } else if (this.expects === 'value') this.valueStart = at
    else if (char === colon && this.expects === 'colon') this.expects = 'value'
    // Between two members, of which the former was an object that was walked through.
    else if (!(char === comma && this.expects === 'key')) this.wrong(at)
  }

  private begin(at: number, char: number): void {
    if (this.valueStart >= 0) {
      this.inner++
      return
    }
    if (this.expects !== 'value') this.wrong(at)
    if (char === 0x7b && this.wanted.opens(this.path)) {
      this.expects = 'key'
      return
    }
    this.valueStart = at
    this.inner = 1
  }

  private end(at: number, char: number): void {
    if (this.inner > 0) {
      this.inner--
      return
    }
    if (char !== 0x7d) this.wrong(at)
    this.leave(at)
    this.expects = this.path.length === 0 ? 'end' : 'key'
    this.path.pop()
  }

  /** The value that was read ends here. */
  private leave(at: number): void {
    if (this.valueStart < 0) {
      if (this.expects !== 'key') this.wrong(at)
      return
    }
    this.wanted.found(this.path, this.bytes, this.valueStart, at)
    this.valueStart = -1
    this.path.pop()
    this.expects = 'key'
  }

  private wrong(at: number): never {
    throw new SyntaxError(`the JSON is wrong at byte ${at}`)
  }
}

const isWhite = (char: number): boolean => char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09
