import * as zlib from 'node:zlib'
import { CompressionType, compressionType, isCompressed, withCompression } from '@skua-mq/protocol'
import { ClientError, reasonOf } from '../error.ts'
import { decodeLz4Frame } from './lz4-frame.ts'

/** A compression method that Node does not bring. */
export interface Compressor {
  compress(body: Uint8Array): Uint8Array
  decompress(body: Uint8Array): Uint8Array
}

export interface CompressionOptions {
  /** Bodies from this size on are compressed; bytes. Default 4096. */
  readonly compressMsgBodyOverHowmuch: number
  /** zlib's level. Default 5. */
  readonly compressLevel: number
  /** Default ZLIB. LZ4 and ZSTD need a compressor; Go, C++ and ali-ons consumers read zlib only. */
  readonly compressType: 'ZLIB' | 'LZ4' | 'ZSTD'
  readonly compressors: Compressors
}

/** Ways of compression beside zlib, which is built in; LZ4 is read without one, and so is zstd where Node has it. */
export interface Compressors {
  readonly lz4?: Compressor | undefined
  readonly zstd?: Compressor | undefined
}

/** A received body may not become larger than this; bytes. */
export const maxInflatedBytes = 64 * 1024 * 1024

/** The body as it is sent, and the sysFlag that says so. What cannot be compressed is sent plain. */
export function compressBody(
  body: Uint8Array,
  sysFlag: number,
  options: CompressionOptions,
): { body: Uint8Array; sysFlag: number } {
  if (body.length < options.compressMsgBodyOverHowmuch) return { body, sysFlag }
  const { compressType: type, compressors } = options
  if (type === 'ZLIB') {
    const smaller = zlib.deflateSync(body, { level: options.compressLevel })
    return { body: smaller, sysFlag: withCompression(sysFlag, CompressionType.zlib) }
  }
  const compressor = type === 'LZ4' ? compressors.lz4 : compressors.zstd
  if (compressor === undefined)
    throw new ClientError('ARGUMENT', `compressType ${type} needs compressors.${type.toLowerCase()}`)
  return {
    body: compressor.compress(body),
    sysFlag: withCompression(sysFlag, CompressionType[type === 'LZ4' ? 'lz4' : 'zstd']),
  }
}

type ZstdOfNode = { zstdDecompressSync?: (body: Uint8Array, options: object) => Uint8Array }

/** The body as the sender had it. Errors: ClientError MESSAGE. */
export function decompressBody(body: Uint8Array, sysFlag: number, compressors: Compressors = {}): Uint8Array {
  if (!isCompressed(sysFlag)) return body
  const type = compressionType(sysFlag)
  try {
    if (type === CompressionType.zlib) return zlib.inflateSync(body, { maxOutputLength: maxInflatedBytes })
    if (type === CompressionType.lz4) {
      return compressors.lz4?.decompress(body) ?? decodeLz4Frame(body, maxInflatedBytes)
    }
    if (type === CompressionType.zstd) return inflateZstd(body, compressors)
  } catch (error) {
    if (error instanceof ClientError) throw error
    throw new ClientError('MESSAGE', `the compressed body cannot be read: ${reasonOf(error)}`, { cause: error })
  }
  throw new ClientError('MESSAGE', `the body is compressed by method ${type}, which nobody knows`)
}

function inflateZstd(body: Uint8Array, { zstd }: Compressors): Uint8Array {
  if (zstd !== undefined) return zstd.decompress(body)
  const ofNode = (zlib as ZstdOfNode).zstdDecompressSync
  if (ofNode !== undefined) return ofNode(body, { maxOutputLength: maxInflatedBytes })
  throw new ClientError(
    'MESSAGE',
    'the body is compressed by zstd: give compressors.zstd, or run on Node 22.15 or later',
  )
}
