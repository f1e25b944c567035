import { FrameCarry } from '@skua-mq/protocol'
import { GrpcError, GrpcStatus } from './grpc-error.ts'

/** One byte that says whether it is compressed, four for its length. */
const prefixBytes = 5

export interface FrameReaderParts {
  readonly maxBytes: number
  /** Told of memory that an incomplete message takes: so much more, or less. */
  readonly held: (bytes: number) => void
}

/** Cuts what arrives into messages. Throws GrpcError. */
export class FrameReader {
  private readonly parts: FrameReaderParts
  /** A chunk may be a small part of a large buffer: what stays is copied. */
  private readonly carry = new FrameCarry(() => {})
  private told = 0

  constructor(parts: FrameReaderParts) {
    this.parts = parts
  }

  /** Messages that are whole now; they may be views of the chunk. */
  push(chunk: Buffer): Buffer[] {
    const found: Buffer[] = []
    const rest = this.carry.length === 0 ? chunk : this.complete(chunk, found)
    let at = 0
    for (;;) {
      const wanted = this.wanted(rest.subarray(at))
      if (rest.length - at < wanted) break
      found.push(rest.subarray(at + prefixBytes, at + wanted))
      at += wanted
    }
    if (at < rest.length) this.carry.add(rest.subarray(at), this.wanted(rest.subarray(at)))
    this.tell()
    return found
  }

  /** Forgets what is incomplete. */
  clear(): void {
    this.carry.clear()
    this.tell()
  }

  get isBetween(): boolean {
    return this.carry.length === 0
  }

  /** Brings the begun message to its end, if the chunk holds it; what is left of the chunk. */
  private complete(chunk: Buffer, found: Buffer[]): Buffer {
    let at = 0
    if (this.carry.length < prefixBytes) {
      at = Math.min(prefixBytes - this.carry.length, chunk.length)
      this.carry.add(chunk.subarray(0, at))
    }
    const wanted = this.wanted(this.carry.head.subarray(0, Math.min(this.carry.length, prefixBytes)))
    const lacking = wanted - this.carry.length
    if (this.carry.length < prefixBytes || chunk.length - at < lacking) {
      this.carry.add(chunk.subarray(at), wanted)
      return chunk.subarray(chunk.length)
    }
    found.push(this.carry.whole(chunk.subarray(at, at + lacking)).subarray(prefixBytes, wanted))
    return chunk.subarray(at + lacking)
  }

  private tell(): void {
    const more = this.carry.heldBytes - this.told
    this.told += more
    if (more !== 0) this.parts.held(more)
  }

  /** How many bytes the message that begins here takes, its prefix included. */
  private wanted(bytes: Buffer): number {
    if (bytes.length < prefixBytes) return prefixBytes
    if (bytes[0] !== 0)
      throw new GrpcError(GrpcStatus.unimplemented, 'compressed messages are not taken: send them as they are')
    const length = bytes.readUInt32BE(1)
    if (length > this.parts.maxBytes) {
      const message = `a message of ${length} bytes: more than ${this.parts.maxBytes} are not taken (grpcMaxMessageBytes)`
      throw new GrpcError(GrpcStatus.resourceExhausted, message)
    }
    return prefixBytes + length
  }
}

/** A message as it goes out. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(prefixBytes + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  message.copy(frame, prefixBytes)
  return frame
}
