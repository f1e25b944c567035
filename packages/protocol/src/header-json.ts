import type { Command } from './command.ts'
import { HeaderForm } from './command.ts'
import { maxHeaderDepth, maxHeaderMembers } from './header-limits.ts'
import { parseJavaJson } from './json/parse.ts'
import { printJavaJson } from './json/print.ts'
import { hasFewTokens } from './json/strict.ts'
import { languageName, languageNumber } from './language.ts'

/** Everything of a command but its body. */
export type Header = Omit<Command, 'body'>

/**
 * Reads a JSON header by the reader's rules of remoting.md 2.2. Throws SyntaxError or RangeError on what Java's decoder
 * closes the connection for.
 */
export function readJsonHeader(bytes: Buffer, start: number, end: number): Header {
  const bom = bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
  const text = bytes.toString('utf8', bom ? start + 3 : start, end)
  return fastHeader(text) ?? tolerantHeader(text)
}

/** What every client writes: strict JSON with texts in extFields. Undefined for whatever is unusual. */
function fastHeader(text: string): Header | undefined {
  // JSON.parse makes all of it before anybody can look: a million members, or arrays inside each other.
  if (!hasFewTokens(text, { maxDepth: maxHeaderDepth, maxMembers: maxHeaderMembers })) return undefined
  let raw: Record<string, unknown>
  try {
    raw = JSON.parse(text)
  } catch {
    return undefined // Java's dialect is wider than JSON: the tolerant reader decides.
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined
  const ext = raw.extFields ?? {}
  if (typeof ext !== 'object' || Array.isArray(ext)) return undefined
  for (const name in ext) if (typeof (ext as Record<string, unknown>)[name] !== 'string') return undefined
  return headerOf(raw, ext as Record<string, string>)
}

/** Numbers keep their literal text: signatures cover it, and 64 bits do not fit a number (remoting.md 2.2). */
function tolerantHeader(text: string): Header {
  const raw = parseJavaJson(text, {
    numbers: 'text',
    maxDepth: maxHeaderDepth,
    maxMembers: maxHeaderMembers,
  })
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw) || raw instanceof Map) {
    throw new SyntaxError('the header is no JSON object')
  }
  const members = raw as Record<string, unknown>
  const given = members.extFields ?? {}
  if (typeof given !== 'object' || Array.isArray(given) || given instanceof Map) {
    throw new SyntaxError('extFields is no JSON object')
  }
  const ext: [string, string][] = []
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue
    ext.push([name, typeof value === 'object' ? printJavaJson(value) : String(value)])
  }
  return headerOf(members, Object.fromEntries(ext))
}

function headerOf(raw: Record<string, unknown>, extFields: Record<string, string>): Header {
  const { remark } = raw
  const header: Header = {
    code: intOf(raw.code, 'code'),
    language: languageOf(raw.language),
    version: intOf(raw.version, 'version'),
    opaque: intOf(raw.opaque, 'opaque'),
    flag: intOf(raw.flag, 'flag'),
    extFields,
    form: HeaderForm.json,
  }
  if (remark !== undefined && remark !== null) {
    header.remark = typeof remark === 'object' ? printJavaJson(remark) : String(remark)
  }
  return header
}

/** Numbers may come as text, as fastjson takes them; absent and null are 0. */
function intOf(value: unknown, name: string): number {
  if (value === undefined || value === null) return 0
  const number = typeof value === 'string' ? (/^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN) : value
  if (typeof number !== 'number' || (number | 0) !== number) throw new RangeError(`header member ${name} is not an int`)
  return number
}

/** Name or number, also a number as text; unknown is none. */
function languageOf(value: unknown): number | undefined {
  if (typeof value === 'number') return languageName(value) === undefined ? undefined : value
  if (typeof value !== 'string') return undefined
  return languageNumber(value) ?? (/^\d+$/.test(value) ? languageOf(Number(value)) : undefined)
}

/** Key order and `serializeTypeCurrentRPC` as Java writes them, so that recorded frames come out again (vectors.md). */
export function writeJsonHeader(command: Header): string {
  const language = command.language === undefined ? undefined : languageName(command.language)
  return (
    `{"code":${command.code},"extFields":${JSON.stringify(command.extFields)},"flag":${command.flag}` +
    (language === undefined ? '' : `,"language":"${language}"`) +
    `,"opaque":${command.opaque}` +
    (command.remark === undefined ? '' : `,"remark":${JSON.stringify(command.remark)}`) +
    `,"serializeTypeCurrentRPC":"JSON","version":${command.version}}`
  )
}
