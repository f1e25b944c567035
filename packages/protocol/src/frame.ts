import { type Command, HeaderForm } from './command.ts'
import { FrameCarry } from './frame-carry.ts'
import { readBinaryHeader, writeBinaryHeader } from './header-binary.ts'
import { readJsonHeader, writeJsonHeader } from './header-json.ts'
import { maxHeaderBytes } from './header-limits.ts'

/** Bytes that are no frame: the connection they came on must be closed without a reply (remoting.md 1.1). */
export class BadFrame extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(problem, options)
    this.name = 'BadFrame'
  }
}

/** Java's limit: length word included, exactly this many bytes are accepted. */
export const defaultMaxFrameBytes = 16_777_216

/** What the length word, a signed int, can say beside the longest header. */
const maxBodyBytes = 0x7fff_ffff - 0x100_0000

/** A frame whose bytes somebody keeps is at least so long. */
const leastKeptBytes = 64 * 1024

/** Length word and header word. */
const prefixBytes = 8

/**
 * A frame in place, in [start, end) with its length word; the bytes are valid until the callback returns. `false` stops
 * the parser behind this frame.
 */
export type FrameSink = (bytes: Buffer, start: number, end: number) => unknown

/**
 * Finds frames in chunks of any size. Whole frames are handed on where they stand in the chunk; only an incomplete tail
 * is copied, and costs what has arrived of it and never more than the declared length. One parser per
 * connection; after it threw BadFrame it must not be used again.
 */
export class FrameParser {
  private readonly maxFrameBytes: number
  private readonly carry: FrameCarry
  private stopped = false
  /** The frame that is being handed on, where its buffer is none of the chunks. */
  private whole: Buffer | undefined
  /** Frames handed on so far, modulo 2^30: whoever watches for frames that never end compares it. */
  frames = 0

  /** `giveBack` is told of each buffer of an incomplete frame that is no longer used; without it they are left to the collector. */
  constructor(options: { readonly maxFrameBytes?: number; readonly giveBack?: (bytes: Buffer) => void } = {}) {
    this.maxFrameBytes = options.maxFrameBytes ?? defaultMaxFrameBytes
    this.carry = new FrameCarry(options.giveBack ?? (() => {}))
  }

  /** Bytes of an incomplete frame that are held now. */
  get retainedBytes(): number {
    return this.carry.length
  }

  /** Memory that an incomplete frame takes now; 0 for none. */
  get heldBytes(): number {
    return this.carry.heldBytes
  }

  /**
   * Calls `frame` for each frame that this chunk completes, in order. Returns how many bytes of the chunk it has taken: all,
   * unless `frame` stopped it; the others are to be pushed again. Throws BadFrame.
   */
  push(chunk: Buffer, frame: FrameSink): number {
    this.stopped = false
    let at = this.carry.length === 0 ? 0 : this.complete(chunk, frame)
    while (at < chunk.length && !this.stopped) {
      const frameBytes = this.check(chunk, at, chunk.length)
      if (frameBytes === 0 || at + frameBytes > chunk.length) {
        this.carry.add(chunk.subarray(at), frameBytes === 0 ? undefined : frameBytes)
        return chunk.length
      }
      const start = at
      at += frameBytes
      this.frames = (this.frames + 1) & 0x3fff_ffff
      if (frame(chunk, start, at) === false) this.stopped = true
    }
    return at
  }

  /** Fills up the carried frame; returns where in the chunk the next one starts. */
  private complete(chunk: Buffer, frame: FrameSink): number {
    const { carry } = this
    let at = 0
    if (carry.length < prefixBytes) {
      at = Math.min(prefixBytes - carry.length, chunk.length)
      carry.add(chunk.subarray(0, at))
    }
    const frameBytes = this.check(carry.head, 0, carry.length)
    if (frameBytes === 0) return chunk.length
    const to = at + frameBytes - carry.length
    if (to > chunk.length) {
      carry.add(chunk.subarray(at), frameBytes)
      return chunk.length
    }
    const whole = carry.whole(chunk.subarray(at, to))
    this.frames = (this.frames + 1) & 0x3fff_ffff
    this.whole = whole
    if (frame(whole, 0, frameBytes) === false) this.stopped = true
    if (this.whole !== undefined) carry.done(whole)
    this.whole = undefined
    return to
  }

  /**
   * Called while a frame is handed on: whether its bytes stay valid afterwards, which only those of a frame that came in
   * several chunks can. Where it is short, a copy is cheaper.
   */
  keepFrame(): boolean {
    if (this.whole === undefined || this.whole.length < leastKeptBytes) return false
    this.whole = undefined
    return true
  }

  /** An incomplete frame is given up; nothing may be pushed any more. */
  end(): void {
    this.carry.clear()
  }

  /** The frame's bytes, or 0 while its two leading words are incomplete. A wrong length word is refused at once. */
  private check(bytes: Buffer, start: number, end: number): number {
    if (end - start < 4) return 0
    const length = bytes.readInt32BE(start)
    if (length < 4 || length > this.maxFrameBytes - 4) throw new BadFrame(`a frame length of ${length}`)
    if (end - start < prefixBytes) return 0
    const form = bytes[start + 4] as number
    if (form > 1) throw new BadFrame(`a header of type ${form}`)
    const headerBytes = bytes.readUIntBE(start + 5, 3)
    if (headerBytes > length - 4) throw new BadFrame(`a header of ${headerBytes} bytes in a frame of ${length}`)
    if (headerBytes === 0) throw new BadFrame('a frame without a header')
    return length + 4
  }
}

/**
 * The command in the frame at [start, end), length word included. The body is a view of `bytes`: copy what outlives
 * them. Throws BadFrame.
 */
export function decodeFrame(bytes: Buffer, start: number, end: number): Command {
  if (end - start < prefixBytes) throw new BadFrame('a frame without its leading words')
  const headerStart = start + prefixBytes
  const headerEnd = headerStart + bytes.readUIntBE(start + 5, 3)
  const form = bytes[start + 4]
  if (headerEnd > end || headerEnd === headerStart || (form !== HeaderForm.json && form !== HeaderForm.binary)) {
    throw new BadFrame('wrong leading words')
  }
  if (headerEnd - headerStart > maxHeaderBytes) {
    throw new BadFrame(`a header of ${headerEnd - headerStart} bytes: more than maxHeaderBytes (${maxHeaderBytes})`)
  }
  const read = form === HeaderForm.json ? readJsonHeader : readBinaryHeader
  try {
    const command: Command = read(bytes, headerStart, headerEnd)
    if (headerEnd < end) command.body = bytes.subarray(headerEnd, end)
    return command
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) {
      throw new BadFrame(`an unreadable header: ${error.message}`, { cause: error })
    }
    throw error
  }
}

/** The whole frame of a command; an empty body is none. Throws RangeError beyond what the other side would decode. */
export function encodeFrame(command: Command): Buffer {
  const header = command.form === HeaderForm.json ? Buffer.from(writeJsonHeader(command)) : writeBinaryHeader(command)
  if (header.length > maxHeaderBytes) {
    throw new RangeError(`a header of ${header.length} bytes: more than maxHeaderBytes (${maxHeaderBytes})`)
  }
  const bodyBytes = command.body?.length ?? 0
  if (bodyBytes > maxBodyBytes) throw new RangeError(`a body of ${bodyBytes} bytes is longer than a frame can say`)
  const out = Buffer.allocUnsafe(prefixBytes + header.length + bodyBytes)
  out.writeInt32BE(4 + header.length + bodyBytes, 0)
  out.writeUInt32BE(((command.form << 24) | header.length) >>> 0, 4)
  out.set(header, prefixBytes)
  if (command.body !== undefined) out.set(command.body, prefixBytes + header.length)
  return out
}
