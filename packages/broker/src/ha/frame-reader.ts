import { frameHeadBytes, readOffset } from './ha-frame.ts'

/** Longest body of a frame: Java's slaves read into 4 MiB, so no master sends more. */
export const maxFrameBytes = 4 * 1024 * 1024

export interface FrameSink {
  /** A head has come: where the bytes begin, or where the master goes on (`length` 0). Answering false ends the reading. */
  head(offset: number, length: number): boolean
  /** The bytes of a frame, whole; valid until this returns. */
  body(offset: number, bytes: Buffer): void
  damaged(remark: string): void
}

/** Takes the frames out of what a master sends, cut anywhere. */
export class FrameReader {
  private readonly sink: FrameSink
  /** What came of a frame that is not whole; as much memory as it has grown to, and no more than the frame. */
  private rest: Buffer = Buffer.alloc(0)
  private restBytes = 0
  private needed = frameHeadBytes
  private ended = false
  private headSeen = false

  constructor(sink: FrameSink) {
    this.sink = sink
  }

  push(chunk: Buffer): void {
    if (this.ended) return
    let bytes = chunk
    if (this.restBytes > 0) {
      this.hold(chunk)
      if (this.restBytes < this.needed) return
      bytes = this.rest.subarray(0, this.restBytes)
    }
    let at = 0
    while (!this.ended && bytes.length - at >= this.needed) at += this.take(bytes, at)
    this.rest = Buffer.alloc(0)
    this.restBytes = 0
    if (at < bytes.length) this.hold(bytes.subarray(at))
  }

  /** The bytes belong to the caller: they are copied, each once or twice however small the chunks are. */
  private hold(chunk: Buffer): void {
    const length = this.restBytes + chunk.length
    if (length > this.rest.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, Math.min(2 * this.rest.length, this.needed)))
      this.rest.copy(larger, 0, 0, this.restBytes)
      this.rest = larger
    }
    chunk.copy(this.rest, this.restBytes)
    this.restBytes = length
  }

  /** Takes the frame at `at` when it is whole; returns how many bytes were taken. */
  private take(bytes: Buffer, at: number): number {
    const offset = readOffset(bytes, at)
    const length = bytes.readInt32BE(at + 8)
    if (length < 0 || length > maxFrameBytes || !Number.isSafeInteger(offset) || offset < 0) {
      this.ended = true
      this.sink.damaged(`a frame of ${length} bytes at offset ${offset}; at most ${maxFrameBytes} bytes are taken`)
      return 0
    }
    if (!this.headSeen && !this.sink.head(offset, length)) {
      this.ended = true
      return 0
    }
    if (bytes.length - at < frameHeadBytes + length) {
      this.headSeen = true
      this.needed = frameHeadBytes + length
      return 0
    }
    this.headSeen = false
    this.needed = frameHeadBytes
    if (length > 0) this.sink.body(offset, bytes.subarray(at + frameHeadBytes, at + frameHeadBytes + length))
    return frameHeadBytes + length
  }
}
