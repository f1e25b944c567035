import { printLong } from '../field.ts'

export interface PrintOptions {
  /** 'wire' is compact; 'file' is fastjson's pretty form of the config files (store.md 5.2). Default 'wire'. */
  readonly style?: 'wire' | 'file'
  /** How integer keys of a Map are written; default quoted on the wire (remoting.md 5.3), bare in files. */
  readonly integerKeys?: 'quoted' | 'bare'
  /** Everything beyond ASCII as \uXXXX, as Java's BrowserCompatible feature does; default false. */
  readonly asciiOnly?: boolean
}

/** A Java double: printed always with a fraction. */
export class JavaDouble {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** Nothing of the protocol is nested deeper; a cycle ends here. */
const maxPrintDepth = 64

/**
 * Prints what fastjson would (remoting.md 5.1, store.md 5.2): undefined and null members are left out, a Map with object
 * keys has them bare before the colon, `javaLongMax`, `javaLongMin` and bigint are printed exactly. An Int32Array is Java's int[], which
 * files have on one line, other than lists. Members of plain objects keep their order. Throws RangeError for more than 64
 * levels.
 */
export function printJavaJson(value: unknown, options: PrintOptions = {}): string {
  return new Printer(options).value(value, 0)
}

/** ASCII without anything to escape: nearly all names. */
const simpleText = /^[ !#-[\]-~]*$/

/** Prints one value; what is too large for one turn of the loop is put together of its parts by `printSlices`. */
export class Printer {
  readonly pretty: boolean
  private readonly quoteIntegers: boolean
  private readonly asciiOnly: boolean

  constructor(options: PrintOptions) {
    this.pretty = options.style === 'file'
    this.quoteIntegers = (options.integerKeys ?? (this.pretty ? 'bare' : 'quoted')) === 'quoted'
    this.asciiOnly = options.asciiOnly ?? false
  }

  value(value: unknown, depth: number): string {
    if (depth > maxPrintDepth) throw new RangeError(`more than ${maxPrintDepth} levels`)
    switch (typeof value) {
      case 'string':
        return this.text(value)
      case 'number':
        return Number.isFinite(value) ? printLong(value) : 'null'
      case 'bigint':
      case 'boolean':
        return String(value)
      case 'object':
        return value === null ? 'null' : this.structure(value, depth)
      default:
        return 'null'
    }
  }

  private structure(value: object, depth: number): string {
    if (value instanceof JavaDouble) return doubleText(value.value)
    if (Array.isArray(value)) return this.list(value, depth)
    if (value instanceof Set) return this.list([...value], depth)
    if (value instanceof Int32Array) return `[${value.join(',')}]`
    return value instanceof Map ? this.map(value, depth) : this.object(value as Record<string, unknown>, depth)
  }

  private list(items: readonly unknown[], depth: number): string {
    const texts = items.map(item => this.value(item, depth + 1))
    if (!this.pretty || items.length === 0) return `[${texts.join(',')}]`
    const line = `\n${'\t'.repeat(depth + 1)}`
    return `[${line}${texts.join(`,${line}`)}\n${'\t'.repeat(depth)}]`
  }

  private object(value: Readonly<Record<string, unknown>>, depth: number): string {
    let out = ''
    const line = this.pretty ? `\n${'\t'.repeat(depth + 1)}` : ''
    for (const key of Object.keys(value)) {
      const member = value[key]
      if (member === undefined || member === null) continue
      out += `${out === '' ? '' : ','}${line}${this.text(key)}:${this.value(member, depth + 1)}`
    }
    return this.braced(out, depth)
  }

  private map(value: ReadonlyMap<unknown, unknown>, depth: number): string {
    let out = ''
    const line = this.pretty ? `\n${'\t'.repeat(depth + 1)}` : ''
    for (const [key, member] of value) {
      if (member === undefined || member === null) continue
      if (out !== '') out += ','
      // fastjson starts a new line before texts only: integer and object keys follow each other on one line.
      if (typeof key === 'string') out += line
      out += `${this.key(key, depth)}:${this.value(member, depth + 1)}`
    }
    return this.braced(out, depth)
  }

  private braced(members: string, depth: number): string {
    return this.pretty && members !== '' ? `{${members}\n${'\t'.repeat(depth)}}` : `{${members}}`
  }

  key(key: unknown, depth: number): string {
    if (typeof key === 'number' || typeof key === 'bigint') return this.quoteIntegers ? `"${key}"` : String(key)
    return this.value(key, depth + 1)
  }

  text(value: string): string {
    if (simpleText.test(value)) return `"${value}"`
    const quoted = JSON.stringify(value)
    const special = this.asciiOnly ? /[^ -~]/g : /[\u2028\u2029]/g
    return quoted.replace(special, char => `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`)
  }
}

/** Java's Double.toString: always a fraction, E-notation from 10^7 on and below 10^-3. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) {
    const [digits, exponent] = value.toExponential().split('e') as [string, string]
    return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
  }
  return Number.isInteger(value) ? value.toFixed(1) : String(value)
}
