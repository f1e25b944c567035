import { boundRemark } from '../header-limits.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { RequestHead } from './view.ts'

/**
 * The inside of a reply's extFields, written straight into the output in either form. Implementations are reused
 * objects; the generic one is `FieldsHeader`.
 */
export interface ReplyHeader {
  /** `"name":"value",…` without braces. */
  json(out: ByteWriter): void
  /** Entries of remoting.md 2.3 one after another. */
  binary(out: ByteWriter): void
}

const openJson = Buffer.from('{"code":')
const fieldsJson = Buffer.from(',"extFields":{')
const opaqueJson = Buffer.from('},"flag":1,"language":"JAVA","opaque":')
const remarkJson = Buffer.from(',"remark":')
let tailJson = Buffer.alloc(0)
let tailVersion = -1

function tail(version: number): Buffer {
  if (version !== tailVersion) {
    tailJson = Buffer.from(`,"serializeTypeCurrentRPC":"JSON","version":${version}}`)
    tailVersion = version
  }
  return tailJson
}

export interface ReplyParts {
  code: number
  header: ReplyHeader | undefined
  remark: string | undefined
  /** Bytes of the body, which the caller sends behind this header. */
  bodyBytes: number
  version: number
}

/** Writes the frame of a reply up to its body. Costs no object: JSON.stringify of the same costs 1.15 µs. */
export function writeReplyHead(out: ByteWriter, request: RequestHead, parts: ReplyParts): void {
  const start = out.at
  out.reserve(256)
  out.at += 8
  if (request.form === 0) writeJson(out, request, parts)
  else writeBinary(out, request, parts)
  const headerBytes = out.at - start - 8
  out.bytes.writeInt32BE(4 + headerBytes + parts.bodyBytes, start)
  out.bytes.writeInt32BE((request.form << 24) | headerBytes, start + 4)
}

function writeJson(out: ByteWriter, request: RequestHead, parts: ReplyParts): void {
  out.raw(openJson)
  out.decimal(parts.code)
  out.raw(fieldsJson)
  parts.header?.json(out)
  out.raw(opaqueJson)
  out.decimal(request.opaque)
  if (parts.remark !== undefined) {
    out.raw(remarkJson)
    out.utf8(JSON.stringify(boundRemark(parts.remark)))
  }
  out.raw(tail(parts.version))
}

function writeBinary(out: ByteWriter, request: RequestHead, parts: ReplyParts): void {
  out.int16(parts.code)
  out.byte(0)
  out.int16(parts.version)
  out.int32(request.opaque)
  out.int32(1)
  const remarkAt = out.at
  out.int32(0)
  if (parts.remark !== undefined) {
    out.utf8(boundRemark(parts.remark))
    out.bytes.writeInt32BE(out.at - remarkAt - 4, remarkAt)
  }
  const fieldsAt = out.at
  out.int32(0)
  parts.header?.binary(out)
  out.bytes.writeInt32BE(out.at - fieldsAt - 4, fieldsAt)
}

/** A header of plain texts: for whatever is not hot. */
export class FieldsHeader implements ReplyHeader {
  private readonly fields: Readonly<Record<string, string>>
  constructor(fields: Readonly<Record<string, string>>) {
    this.fields = fields
  }

  json(out: ByteWriter): void {
    out.utf8(JSON.stringify(this.fields).slice(1, -1))
  }

  binary(out: ByteWriter): void {
    for (const [name, value] of Object.entries(this.fields)) binaryEntry(out, name, value)
  }
}

/** One entry of the binary form; the value is text. */
export function binaryEntry(out: ByteWriter, name: string, value: string): void {
  const key = Buffer.from(name)
  out.int16(key.length)
  out.raw(key)
  const at = out.at
  out.int32(0)
  out.utf8(value)
  out.bytes.writeInt32BE(out.at - at - 4, at)
}
