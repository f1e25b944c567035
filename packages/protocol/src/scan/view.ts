import { onewayFlag, responseFlag } from '../command.ts'
import { long } from '../field.ts'
import { HeaderError } from '../request.ts'
import { shown } from '../shown.ts'
import { type HeaderScan, parseLong } from './header-scan.ts'
import { InternTable } from './intern.ts'
import { scratch, unescapeInto } from './unescape.ts'

/** What every request view has: who sent it and how the reply must look. */
export interface RequestHead {
  code: number
  opaque: number
  oneway: boolean
  version: number
  /** HeaderForm of the request; the reply takes the same. */
  form: 0 | 1
}

const interned = new InternTable()

export function fillHead(head: RequestHead, scan: HeaderScan): boolean {
  head.code = scan.code
  head.opaque = scan.opaque
  head.oneway = (scan.flag & onewayFlag) !== 0
  head.version = scan.version
  return (scan.flag & responseFlag) === 0
}

/** A short name which comes again and again. */
export function nameAt(scan: HeaderScan, slot: number, field: string): string {
  const start = scan.starts[slot] as number
  if (start < 0) throw new HeaderError(field, 'is missing')
  const end = scan.ends[slot] as number
  return scan.escaped[slot] === 1 ? escapedText(scan.bytes, start, end, field) : interned.text(scan.bytes, start, end)
}

export function optionalTextAt(scan: HeaderScan, slot: number, field: string): string | undefined {
  return (scan.starts[slot] as number) < 0 ? undefined : nameAt(scan, slot, field)
}

/** A text that hardly comes twice: keeping it would only push out others. */
export function freshTextAt(scan: HeaderScan, slot: number, field: string): string {
  if ((scan.starts[slot] as number) < 0) throw new HeaderError(field, 'is missing')
  if (scan.escaped[slot] === 1) return nameAt(scan, slot, field)
  return textOf(scan, slot)
}

function escapedText(bytes: Buffer, start: number, end: number, field: string): string {
  const length = unescapeInto(bytes, start, end)
  if (length < 0) throw new HeaderError(field, 'holds an unknown escape or is too long')
  return scratch.toString('utf8', 0, length)
}

export function longAt(scan: HeaderScan, slot: number, field: string): number {
  const start = scan.starts[slot] as number
  if (start < 0) throw new HeaderError(field, 'is missing')
  const value = parseLong(scan.bytes, start, scan.ends[slot] as number)
  return Number.isNaN(value) ? unusualLong(textOf(scan, slot), field) : value
}

/** Long.MAX_VALUE, signs, leading zeros: as the table reads them. */
function unusualLong(text: string, field: string): number {
  try {
    return long.parse(text)
  } catch (error) {
    throw new HeaderError(field, (error as Error).message)
  }
}

/** A version that is only compared; above 2^53 it is rounded (see the field of that name). */
export function versionAt(scan: HeaderScan, slot: number, field: string): number {
  const start = scan.starts[slot] as number
  const exact = start < 0 ? Number.NaN : parseLong(scan.bytes, start, scan.ends[slot] as number)
  if (!Number.isNaN(exact)) return exact
  if (start < 0) throw new HeaderError(field, 'is missing')
  const text = textOf(scan, slot)
  if (!/^[+-]?\d{1,64}$/.test(text)) throw new HeaderError(field, `${shown(text)} is not a long`)
  return Number(text)
}

export function intAt(scan: HeaderScan, slot: number, field: string): number {
  const value = longAt(scan, slot, field)
  if (value > 0x7fff_ffff || value < -0x8000_0000) throw new HeaderError(field, `"${value}" is not an int`)
  return value
}

/** `absent` where the sender left the field out. */
export function intOr(scan: HeaderScan, slot: number, field: string, absent: number): number {
  return (scan.starts[slot] as number) < 0 ? absent : intAt(scan, slot, field)
}

export function boolAt(scan: HeaderScan, slot: number): boolean {
  const start = scan.starts[slot] as number
  if (start < 0 || (scan.ends[slot] as number) - start !== 4) return false
  return textOf(scan, slot).toLowerCase() === 'true'
}

function textOf(scan: HeaderScan, slot: number): string {
  return scan.bytes.toString('utf8', scan.starts[slot] as number, scan.ends[slot] as number)
}
