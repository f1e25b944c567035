/** A piece grows to this size; what comes then begins another one. */
const pieceBytes = 256 * 1024

/** What the first piece has room for at least, and by how much it grows: doubling would copy each byte once more. */
const leastBytes = 256
const growth = 4

/** A buffer of this size is kept for the next frame; larger ones are given back, so that idle connections stay small. */
const keptBytes = 2048

/**
 * The bytes of a frame that is not complete. What has come stays where it is, in pieces, until the frame is whole: to
 * copy megabytes for each of many peers at once would keep the loop from everybody else, and buffers of many sizes,
 * given back in any order, leave holes in the process's memory that it does not give back to the system.
 */
export class FrameCarry {
  private readonly giveBack: (bytes: Buffer) => void
  /** All but the last one are full. */
  private pieces: Buffer[] = []
  private usedOfLast = 0
  private held = 0
  /** For the next frame. */
  private spare: Buffer | undefined
  /** Bytes of the frame that have come. */
  length = 0

  /** `giveBack` is told of each buffer that is no longer used. */
  constructor(giveBack: (bytes: Buffer) => void) {
    this.giveBack = giveBack
  }

  /** Memory in bytes that it takes; 0 where no frame is begun. */
  get heldBytes(): number {
    return this.held
  }

  /** The first bytes of the frame, up to `length` of them. */
  get head(): Buffer {
    return this.pieces[0] ?? none
  }

  /** Copies the bytes. `frameBytes`: of the whole frame; undefined while that is not known. */
  add(bytes: Buffer, frameBytes?: number): void {
    for (let at = 0; at < bytes.length; ) {
      const piece = this.pieceFor(bytes.length - at, frameBytes)
      const count = Math.min(piece.length - this.usedOfLast, bytes.length - at)
      piece.set(bytes.subarray(at, at + count), this.usedOfLast)
      this.usedOfLast += count
      this.length += count
      at += count
    }
  }

  /** The frame, which these bytes complete; `done` says that it was read. */
  whole(rest: Buffer): Buffer {
    const bytes = this.length + rest.length
    const only = this.pieces[0]
    if (this.pieces.length === 1 && only !== undefined && only.length >= bytes) {
      only.set(rest, this.length)
      this.forget()
      return only
    }
    const whole = Buffer.allocUnsafeSlow(bytes)
    let at = 0
    for (const piece of this.pieces) {
      const used = Math.min(piece.length, this.length - at)
      whole.set(piece.subarray(0, used), at)
      at += used
      this.giveBack(piece)
    }
    whole.set(rest, at)
    this.forget()
    return whole
  }

  done(whole: Buffer): void {
    if (whole.length <= keptBytes) this.spare = whole
    else this.giveBack(whole)
  }

  /** The frame is given up. */
  clear(): void {
    for (const piece of this.pieces) this.giveBack(piece)
    this.forget()
  }

  private forget(): void {
    this.pieces = []
    this.usedOfLast = 0
    this.held = 0
    this.length = 0
  }

  /** The last piece, with room for some of these bytes. */
  private pieceFor(coming: number, frameBytes = pieceBytes): Buffer {
    const last = this.pieces.at(-1)
    if (last === undefined && (this.spare?.length ?? 0) >= coming) return this.begin(this.spare as Buffer)
    const lacking = last === undefined ? coming : this.usedOfLast + coming - last.length
    if (last !== undefined && lacking <= 0) return last
    if (this.pieces.length <= 1 && (last?.length ?? 0) < pieceBytes) {
      const room = Math.max(leastBytes, (last?.length ?? 0) * growth, this.usedOfLast + coming)
      return this.grow(last, Math.min(room, pieceBytes, frameBytes))
    }
    if (last !== undefined && this.usedOfLast < last.length) return last
    return this.begin(Buffer.allocUnsafeSlow(Math.min(pieceBytes, frameBytes - this.length)))
  }

  private begin(piece: Buffer): Buffer {
    this.spare = undefined
    this.pieces.push(piece)
    this.usedOfLast = 0
    this.held += piece.length
    return piece
  }

  private grow(last: Buffer | undefined, bytes: number): Buffer {
    const grown = Buffer.allocUnsafeSlow(bytes)
    if (last === undefined) return this.begin(grown)
    grown.set(last.subarray(0, this.usedOfLast))
    this.pieces[0] = grown
    this.held += grown.length - last.length
    this.giveBack(last)
    return grown
  }
}

const none = Buffer.alloc(0)
