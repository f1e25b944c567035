import { GrpcError, GrpcStatus } from './grpc-error.ts'

/** One byte that says whether it is compressed, four for its length. */
const prefixBytes = 5

/** Bytes of incomplete messages of all streams together. */
export class CarryBudget {
  readonly maxBytes: number
  private bytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  take(count: number): void {
    if (this.bytes + count > this.maxBytes) {
      const message = `incomplete requests hold ${this.maxBytes} bytes already (grpcMaxCarryBytes): try again later`
      throw new GrpcError(GrpcStatus.resourceExhausted, message)
    }
    this.bytes += count
  }

  give(count: number): void {
    this.bytes -= count
  }
}

/** Cuts what arrives into messages. Throws GrpcError. */
export class FrameReader {
  private readonly maxBytes: number
  private readonly budget: CarryBudget
  private chunks: Buffer[] = []
  private length = 0

  constructor({ maxBytes, budget }: { maxBytes: number; budget: CarryBudget }) {
    this.maxBytes = maxBytes
    this.budget = budget
  }

  /** Messages that are whole now; they may be views of the chunk. */
  push(chunk: Buffer): Buffer[] {
    const found: Buffer[] = []
    let bytes = chunk
    if (this.length > 0) {
      this.budget.take(chunk.length)
      this.chunks.push(chunk)
      this.length += chunk.length
      if (this.length < this.wanted(this.head())) return found
      bytes = Buffer.concat(this.chunks, this.length)
      this.clear()
    }
    let at = 0
    for (;;) {
      const wanted = this.wanted(bytes.subarray(at))
      if (bytes.length - at < wanted) break
      found.push(bytes.subarray(at + prefixBytes, at + wanted))
      at += wanted
    }
    if (at < bytes.length) {
      const rest = bytes.subarray(at)
      this.budget.take(rest.length)
      this.chunks = [rest]
      this.length = rest.length
    }
    return found
  }

  /** Forgets what is incomplete. */
  clear(): void {
    this.budget.give(this.length)
    this.chunks = []
    this.length = 0
  }

  get isBetween(): boolean {
    return this.length === 0
  }

  private head(): Buffer {
    const first = this.chunks[0]!
    return first.length >= prefixBytes ? first : Buffer.concat(this.chunks.slice(0, prefixBytes), undefined)
  }

  /** How many bytes the message that begins here takes, its prefix included. */
  private wanted(bytes: Buffer): number {
    if (bytes.length < prefixBytes) return prefixBytes
    if (bytes[0] !== 0)
      throw new GrpcError(GrpcStatus.unimplemented, 'compressed messages are not taken: send them as they are')
    const length = bytes.readUInt32BE(1)
    if (length > this.maxBytes) {
      const message = `a message of ${length} bytes: more than grpcMaxMessageBytes (${this.maxBytes})`
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
