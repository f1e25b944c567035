import { HeldBytes } from '@skua-mq/runtime'
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
  /** What came of a frame that is not whole. */
  private readonly rest = new HeldBytes()
  private needed = frameHeadBytes
  private ended = false
  private headSeen = false

  constructor(sink: FrameSink) {
    this.sink = sink
  }

  push(chunk: Buffer): void {
    if (this.ended) return
    let bytes = chunk
    if (this.rest.length > 0) {
      this.rest.add(chunk, this.needed)
      if (this.rest.length < this.needed) return
      bytes = this.rest.all
    }
    let at = 0
    while (!this.ended && bytes.length - at >= this.needed) at += this.take(bytes, at)
    this.rest.clear()
    if (at < bytes.length) this.rest.add(bytes.subarray(at), this.needed)
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
