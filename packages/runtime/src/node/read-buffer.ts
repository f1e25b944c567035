import { Socket as TcpSocket } from 'node:net'

/**
 * Every socket of the process reads into this one buffer, since a chunk is only valid until its handler returns (Net's
 * contract). A buffer of its own for each read, which is what 'data' events give, costs a broker that takes messages of
 * 1 KiB a tenth of its time in garbage collection. Larger than the 64 KiB of a 'data' event: fewer reads for busy peers.
 */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

/** Where the chunks of one socket go; empty until somebody reads. */
export interface Reading {
  handler: ((chunk: Buffer) => void) | undefined
}

interface OnRead {
  readonly buffer: Uint8Array
  readonly callback: (bytes: number, buffer: Uint8Array) => boolean
}

/** The `onread` option of node:net. */
export function readInto(reading: Reading): OnRead {
  return {
    buffer: readBuffer,
    callback: bytes => {
      reading.handler?.(readBuffer.subarray(0, bytes))
      return true
    },
  }
}

/** What node:net's Server itself uses to make a socket of an accepted connection; not among its documented options. */
interface HandleOptions {
  readonly handle: object
  readonly allowHalfOpen: boolean
  readonly pauseOnCreate: boolean
  readonly onread: OnRead
}

/**
 * The same connection as a socket that reads into the shared buffer. node:net offers that only to sockets which
 * connect, so an accepted one (with `pauseOnConnect`) gives its handle away. Undefined where this runtime keeps its handle
 * elsewhere, and in Deno, which goes on reading into the buffer when TLS has taken the connection over: the caller then listens
 * for 'data'.
 */
export function rereading(accepted: TcpSocket, reading: Reading): TcpSocket | undefined {
  if (process.versions['deno'] !== undefined) return undefined
  const owner = accepted as unknown as { _handle: object | null }
  const handle = owner._handle
  if (handle === null || handle === undefined || !('useUserBuffer' in handle)) return undefined
  const options: HandleOptions = { handle, allowHalfOpen: false, pauseOnCreate: true, onread: readInto(reading) }
  const socket = new TcpSocket(options as unknown as ConstructorParameters<typeof TcpSocket>[0])
  owner._handle = null
  return socket
}
