import { HeaderForm, isResponse } from './command.ts'
import type { Header } from './header-json.ts'
import { maxHeaderMembers } from './header-limits.ts'
import { Language, languageName } from './language.ts'

/** Codes that do not fit 16 bits arrive as their low half; for requests these are mapped back (remoting.md 2.3). */
const wideCodes = [200050, 200051, 200052, 200053, 200054, 200055, 200056, 200151] as const
const wideByLow = new Map<number, number>(wideCodes.map(code => [low16(code), code]))

const fixedBytes = 13

/**
 * Reads a header in the ROCKETMQ form (remoting.md 2.3). Values and remarks of length 0 read as absent, as in Java.
 * Throws RangeError when it is cut short.
 */
export function readBinaryHeader(bytes: Buffer, start: number, end: number): Header {
  if (start + fixedBytes > end) throw new RangeError('the binary header is cut short')
  const flag = bytes.readInt32BE(start + 9)
  const code = bytes.readInt16BE(start)
  const language = bytes[start + 2] as number
  const header: Header = {
    code: isResponse({ flag }) ? code : (wideByLow.get(code) ?? code),
    language: languageName(language) === undefined ? undefined : language,
    version: bytes.readInt16BE(start + 3),
    opaque: bytes.readInt32BE(start + 5),
    flag,
    extFields: {},
    form: HeaderForm.binary,
  }
  const remark = span(bytes, { at: start + fixedBytes, end, lengthBytes: 4 })
  if (remark.to > remark.from) header.remark = bytes.toString('utf8', remark.from, remark.to)
  const fields = span(bytes, { at: remark.to, end, lengthBytes: 4 })
  header.extFields = readEntries(bytes, fields.from, fields.to)
  return header
}

function readEntries(bytes: Buffer, start: number, end: number): Record<string, string> {
  const entries: [string, string][] = []
  let at = start
  let members = 0
  while (at < end) {
    const key = span(bytes, { at, end, lengthBytes: 2 })
    const value = span(bytes, { at: key.to, end, lengthBytes: 4 })
    if (++members > maxHeaderMembers) throw new RangeError(`more than ${maxHeaderMembers} fields`)
    if (value.to > value.from) {
      entries.push([bytes.toString('utf8', key.from, key.to), bytes.toString('utf8', value.from, value.to)])
    }
    at = value.to
  }
  return Object.fromEntries(entries)
}

/** Bounds of what a length of 2 or 4 bytes announces. */
function span(bytes: Buffer, { at, end, lengthBytes }: { at: number; end: number; lengthBytes: 2 | 4 }) {
  const from = at + lengthBytes
  if (from > end) throw new RangeError('the binary header is cut short')
  const length = lengthBytes === 2 ? bytes.readUInt16BE(at) : bytes.readInt32BE(at)
  const to = from + length
  if (length < 0 || to > end) throw new RangeError('a length in the binary header points behind its end')
  return { from, to }
}

/** Codes and versions above 16 bits are cut, as in Java; an unknown language is written as OTHER. */
export function writeBinaryHeader(command: Header): Buffer {
  const remark = Buffer.from(command.remark ?? '')
  const entries = Object.entries(command.extFields).map(([key, value]) => {
    const name = Buffer.from(key)
    if (name.length > 0x7fff) throw new RangeError('the name of an extField is longer than 32767 bytes')
    return [name, Buffer.from(value)] as const
  })
  let fieldBytes = 0
  for (const [name, value] of entries) fieldBytes += 6 + name.length + value.length
  const out = Buffer.allocUnsafe(fixedBytes + 8 + remark.length + fieldBytes)
  out.writeInt16BE(low16(command.code), 0)
  out[2] = command.language ?? Language.other
  out.writeInt16BE(low16(command.version), 3)
  out.writeInt32BE(command.opaque, 5)
  out.writeInt32BE(command.flag, 9)
  out.writeInt32BE(remark.length, fixedBytes)
  out.set(remark, fixedBytes + 4)
  let at = fixedBytes + 4 + remark.length
  at = out.writeInt32BE(fieldBytes, at)
  for (const [name, value] of entries) {
    at = out.writeInt16BE(name.length, at)
    out.set(name, at)
    at = out.writeInt32BE(value.length, at + name.length)
    out.set(value, at)
    at += value.length
  }
  return out
}

/** Signed low 16 bits. */
function low16(value: number): number {
  return (value << 16) >> 16
}
