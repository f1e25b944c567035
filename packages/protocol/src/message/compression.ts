import { promisify } from 'node:util'
import { deflate, deflateSync, inflate, inflateSync } from 'node:zlib'
import { CompressionType, compressionType } from './sys-flag.ts'

/** How bodies of one compression type are made and read. */
export interface BodyCodec {
  readonly name: string
  /** Missing where we only read. */
  readonly compress?: (body: Uint8Array) => Uint8Array
  readonly compressAsync?: (body: Uint8Array) => Promise<Uint8Array>
  /** Throws, or rejects, on bytes that are not of its kind, or that grow over `maxBytes`. */
  readonly decompress: (body: Uint8Array, maxBytes: number) => Uint8Array
  readonly decompressAsync: (body: Uint8Array, maxBytes: number) => Promise<Uint8Array>
}

/** Largest body that is inflated unless the caller says otherwise, bytes: a small message can claim any size. */
export const maxInflatedBytes = 64 * 1024 * 1024

/** Java's level. */
const level = 5

const deflateAsync = promisify<Uint8Array, { level: number }, Buffer>(deflate)
const inflateAsync = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate)

const zlibCodec: BodyCodec = {
  name: 'zlib',
  compress: body => deflateSync(body, { level }),
  compressAsync: body => deflateAsync(body, { level }),
  decompress: (body, maxBytes) => inflateSync(body, { maxOutputLength: maxBytes }),
  decompressAsync: (body, maxBytes) => inflateAsync(body, { maxOutputLength: maxBytes }),
}

/** By the number in the sysFlag: at most eight. */
const codecs = new Map<number, BodyCodec>([[CompressionType.zlib, zlibCodec]])

/** Adds a codec for LZ4 (1), zstd (2) or another of the eight numbers; one that is there is replaced. */
export function registerBodyCodec(type: number, codec: BodyCodec): void {
  if (!Number.isInteger(type) || type < 1 || type > 7) throw new RangeError(`no compression type ${type}`)
  codecs.set(type, codec)
}

/** The codec for the type in this sysFlag; undefined where none is registered. */
export function bodyCodec(sysFlag: number): BodyCodec | undefined {
  return codecs.get(compressionType(sysFlag))
}

/** A body that cannot be read: its compression is unknown here, or the bytes are damaged. */
export class BodyError extends Error {
  readonly code = 'BODY_UNREADABLE'
}

/** The body as its sender gave it, of a message whose sysFlag says that it is compressed. Throws BodyError. */
export function inflateBody(body: Uint8Array, sysFlag: number, maxBytes = maxInflatedBytes): Uint8Array {
  const codec = codecFor(sysFlag)
  try {
    return codec.decompress(body, maxBytes)
  } catch (cause) {
    throw damaged(codec, body, cause)
  }
}

/** The same off the main thread, for large bodies. Rejects with BodyError. */
export async function inflateBodyAsync(
  body: Uint8Array,
  sysFlag: number,
  maxBytes = maxInflatedBytes,
): Promise<Uint8Array> {
  const codec = codecFor(sysFlag)
  try {
    return await codec.decompressAsync(body, maxBytes)
  } catch (cause) {
    throw damaged(codec, body, cause)
  }
}

function codecFor(sysFlag: number): BodyCodec {
  const codec = bodyCodec(sysFlag)
  if (codec === undefined) throw new BodyError(`no codec for compression type ${compressionType(sysFlag)}`)
  return codec
}

function damaged(codec: BodyCodec, body: Uint8Array, cause: unknown): BodyError {
  return new BodyError(`a body of ${body.length} bytes is not ${codec.name}, or too large`, { cause })
}
