const white = /[ \t\n\r\f\b]*/y
const number = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y
const word = /[A-Za-z_$@][\w$@.-]*/y
const plain = { '"': /[^"\\]*/y, "'": /[^'\\]*/y } as const
const simpleEscapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
}

/** The words of the Java JSON dialect (remoting.md 5.2), one after another. Errors are SyntaxErrors with the position. */
export class Scanner {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
    if (text.charCodeAt(0) === 0xfeff) this.at = 1
  }

  fail(problem: string): never {
    throw new SyntaxError(`${problem} at character ${this.at}`)
  }

  /** The next character that is no white space, which stays where it is; '' at the end. */
  peek(): string {
    white.lastIndex = this.at
    white.test(this.text)
    this.at = white.lastIndex
    return this.text[this.at] ?? ''
  }

  skip(): void {
    this.at++
  }

  /** Consumes this character if it comes next. */
  take(char: string): boolean {
    if (this.peek() !== char) return false
    this.at++
    return true
  }

  /** The literal text of a number; undefined when none stands here. */
  number(): string | undefined {
    const literal = this.match(number)
    // fastjson lets a type letter follow a number, as in Java source.
    if (literal !== undefined && /[LSBFD]/.test(this.text[this.at] ?? '')) this.at++
    return literal
  }

  /** A bare identifier; undefined when none stands here. */
  word(): string | undefined {
    return this.match(word)
  }

  /** A string between the quotes that stand here. */
  string(quote: '"' | "'"): string {
    this.at++
    let result = ''
    for (;;) {
      const part = this.match(plain[quote])
      if (part !== undefined) result += part
      const char = this.text[this.at++]
      if (char === quote) return result
      if (char !== '\\') this.fail('a string without end')
      result += this.escape()
    }
  }

  private escape(): string {
    const char = this.text[this.at++] ?? this.fail('a string without end')
    if (char === 'u') return this.hex(4)
    if (char === 'x') return this.hex(2)
    if (char >= '0' && char <= '7') return String.fromCharCode(Number(char))
    return simpleEscapes[char] ?? char
  }

  private hex(digits: number): string {
    const code = this.text.slice(this.at, this.at + digits)
    if (code.length !== digits || !/^[0-9a-fA-F]+$/.test(code)) this.fail('a wrong escape')
    this.at += digits
    return String.fromCharCode(Number.parseInt(code, 16))
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    if (!pattern.test(this.text) || pattern.lastIndex === this.at) return undefined
    const from = this.at
    this.at = pattern.lastIndex
    return this.text.slice(from, this.at)
  }
}
