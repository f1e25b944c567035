import { type Place, Reference, resolveReferences } from './reference.ts'
import { Scanner } from './scanner.ts'
import { strictJson } from './strict.ts'

export interface ParseOptions {
  /** Objects and arrays inside each other; default 64. */
  readonly maxDepth?: number
  /** Longest text, in UTF-16 units or bytes; default 128 Mi. */
  readonly maxLength?: number
  /** Members and items of all objects and arrays together; default as many as the text holds. */
  readonly maxMembers?: number
  /** The same for texts that JSON.parse does not read, which cost six times as much; default `maxMembers`. */
  readonly maxTolerantMembers?: number
  /** 'text' keeps the literal text of numbers as strings; default 'value'. */
  readonly numbers?: 'value' | 'text'
}

const defaultMaxDepth = 64
/** A double prints in 24 characters, a long in 20; making a bigint of digits costs their square. */
const maxNumberLength = 128
const unbounded = Number.MAX_SAFE_INTEGER
const defaultMaxLength = 128 * 1024 * 1024

/**
 * Reads the JSON that Java's fastjson writes and reads (remoting.md 5): bare and quoted keys, object keys, single
 * quotes, trailing commas, `$ref`. Objects become plain objects, also those with bare integer keys; a map with object
 * keys becomes a Map. Integers beyond 2^53 become bigint. Throws SyntaxError, also beyond a limit.
 */
export function parseJavaJson(source: string | Uint8Array, options: ParseOptions = {}): unknown {
  if (source.length > (options.maxLength ?? defaultMaxLength)) throw new SyntaxError('the JSON text is too long')
  const text = typeof source === 'string' ? source : textOf(source)
  if (options.numbers !== 'text') {
    const value = strictJson(text, {
      maxDepth: options.maxDepth ?? defaultMaxDepth,
      maxMembers: options.maxMembers ?? unbounded,
    })
    if (value !== undefined) return value
  }
  return new Parser(new Scanner(text), options).whole(text.length)
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')

class Parser {
  private readonly scanner: Scanner
  private readonly maxDepth: number
  private readonly maxMembers: number
  private readonly numbersAsText: boolean
  private members = 0
  private readonly places: Place[] = []

  constructor(scanner: Scanner, options: ParseOptions) {
    this.scanner = scanner
    this.maxDepth = options.maxDepth ?? defaultMaxDepth
    this.maxMembers = options.maxTolerantMembers ?? options.maxMembers ?? unbounded
    this.numbersAsText = options.numbers === 'text'
  }

  whole(textLength: number): unknown {
    const root = this.value(0)
    if (this.scanner.peek() !== '') this.scanner.fail('something follows the value')
    if (root instanceof Reference) return null
    resolveReferences(root, this.places, textLength)
    return root
  }

  private value(depth: number): unknown {
    const { scanner } = this
    const first = scanner.peek()
    if (first === '"' || first === "'") return scanner.string(first)
    if (first === '{' || first === '[') {
      if (depth >= this.maxDepth) scanner.fail(`more than ${this.maxDepth} levels`)
      scanner.skip()
      return first === '{' ? this.object(depth + 1) : this.array(depth + 1)
    }
    const literal = scanner.number()
    if (literal !== undefined && literal.length > maxNumberLength) scanner.fail(`a number of ${literal.length} digits`)
    if (literal !== undefined) return this.numbersAsText ? literal : numberOf(literal)
    return this.named()
  }

  private named(): unknown {
    const { scanner } = this
    switch (scanner.word()) {
      case 'true':
        return true
      case 'false':
        return false
      case 'null':
      case 'undefined':
        return null
      case 'NaN':
        return this.numbersAsText ? 'NaN' : Number.NaN
      default:
        return scanner.fail('a value was expected')
    }
  }

  private count(): void {
    if (++this.members > this.maxMembers) this.scanner.fail(`more than ${this.maxMembers} members`)
  }

  private array(depth: number): unknown[] {
    const { scanner } = this
    const list: unknown[] = []
    for (;;) {
      while (scanner.take(','));
      if (scanner.take(']')) return list
      this.count()
      const index = list.length
      const value = this.value(depth)
      list.push(this.placed(value, { holder: list, put: real => (list[index] = real) }))
      if (!scanner.take(',') && scanner.peek() !== ']') scanner.fail('"," or "]" was expected')
    }
  }

  private object(depth: number): unknown {
    const { scanner } = this
    const members: Record<string, unknown> = {}
    let map: Map<unknown, unknown> | undefined
    for (;;) {
      while (scanner.take(','));
      if (scanner.take('}')) break
      this.count()
      const key = this.key(depth)
      if (!scanner.take(':')) scanner.fail('":" was expected')
      const value = this.value(depth)
      if (typeof key !== 'string') map ??= new Map<unknown, unknown>(Object.entries(members))
      const into = map ?? members
      put(into, key, this.placed(value, { holder: into, put: real => put(into, key, real) }))
      if (!scanner.take(',') && scanner.peek() !== '}') scanner.fail('"," or "}" was expected')
    }
    const path = members.$ref
    if (map === undefined && typeof path === 'string' && Object.keys(members).length === 1) {
      return new Reference(path, members)
    }
    return map ?? members
  }

  private key(depth: number): unknown {
    const { scanner } = this
    const first = scanner.peek()
    if (first === '"' || first === "'") return scanner.string(first)
    if (first === '{') return this.value(depth)
    return scanner.number() ?? scanner.word() ?? scanner.fail('a key was expected')
  }

  private placed(value: unknown, at: { holder: object; put: (real: unknown) => void }): unknown {
    if (!(value instanceof Reference)) return value
    const reference = new Reference(value.path, at.holder)
    this.places.push({ reference, put: at.put })
    return reference
  }
}

function put(into: Map<unknown, unknown> | Record<string, unknown>, key: unknown, value: unknown): void {
  if (into instanceof Map) into.set(key, value)
  else if (key !== '__proto__') into[key as string] = value
  else Object.defineProperty(into, key, { value, writable: true, enumerable: true, configurable: true })
}

function numberOf(literal: string): number | bigint {
  const value = Number(literal)
  if (Number.isSafeInteger(value) || /[.eE]/.test(literal)) return value
  return BigInt(literal)
}
