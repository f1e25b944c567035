import { parsePairs } from './properties-parser.ts'

/** One `key=value` of a properties file, unescaped and trimmed. `line` counts from 1. */
export interface PropertyEntry {
  readonly key: string
  readonly value: string
  readonly line: number
}

/** A properties file that cannot be read; the message is one line and names the line of the file. */
export class PropertiesError extends Error {
  readonly line: number
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`)
    this.name = 'PropertiesError'
    this.line = line
  }
}

/**
 * Reads Java's .properties format in the order of the file, repeated keys included; Java lets the last one win. Values
 * are trimmed, as RocketMQ does when it uses them. Errors: PropertiesError for a malformed \u escape, a NUL byte, or a
 * line without a separator (Java takes it for a key with an empty value; here it is always a mistake).
 */
export function readProperties(text: string): PropertyEntry[] {
  const source = text.startsWith('\ufeff') ? text.slice(1) : text
  const lineAt = lineCounter(source)
  const nul = source.indexOf('\0')
  if (nul !== -1) throw new PropertiesError(lineAt(nul), 'not a text file')
  const entries: PropertyEntry[] = []
  for (const pair of parsePairs(source)) {
    const line = lineAt(pair.start)
    const malformed = malformedEscape(source.slice(pair.start, pair.end))
    if (malformed !== undefined) throw new PropertiesError(line, `malformed escape ${malformed}`)
    if (!pair.separated) throw new PropertiesError(line, `no "=" after ${printable(pair.key)}`)
    if (pair.key === '') throw new PropertiesError(line, 'no key before "="')
    entries.push({ key: pair.key, value: pair.value.trim(), line })
  }
  return entries
}

/** Java refuses a \u that no four hexadecimal digits follow. */
function malformedEscape(raw: string): string | undefined {
  for (const match of raw.matchAll(/\\(u[0-9a-fA-F]{4}|.|$)/gs)) {
    if (match[1] === 'u')
      return raw
        .slice(match.index, match.index + 6)
        .split(/[\r\n]/)[0]!
        .trim()
  }
  return undefined
}

/** The bytes of a properties file as text: UTF-8 where they are valid UTF-8, otherwise Latin-1, which is all that Java reads. */
export function decodeProperties(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return Buffer.from(bytes).toString('latin1')
  }
}

/** Writes properties so that Java reads them back: escapes as Java's, everything outside of ASCII as \uXXXX. */
export function printProperties(entries: Iterable<readonly [key: string, value: string]>): string {
  let text = ''
  for (const [key, value] of entries)
    text += `${escaped(key, /[\\:=#! \t\f\r\n]/g)}=${escaped(value, /\\|^[ \t\f]|[\r\n]/g)}\n`
  return text
}

const short: Record<string, string> = { '\t': '\\t', '\f': '\\f', '\r': '\\r', '\n': '\\n' }

function escaped(text: string, special: RegExp): string {
  return text
    .replace(special, char => short[char] ?? `\\${char}`)
    .replace(/[^ -~]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function printable(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}

/** Line numbers of growing offsets; \n, \r\n and a lone \r end a line, as in Java. */
function lineCounter(source: string): (offset: number) => number {
  const starts = [0]
  for (const match of source.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length)
  let line = 0
  return offset => {
    while (line + 1 < starts.length && starts[line + 1]! <= offset) line++
    return line + 1
  }
}
