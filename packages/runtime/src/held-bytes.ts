/**
 * What came of something that is not whole yet. Each byte is copied once or twice, however small the pieces are, and no more memory is
 * taken than what is whole has, or has come.
 */
export class HeldBytes {
  private bytes: Buffer = Buffer.alloc(0)
  length = 0

  /** Valid until the next `add`. */
  get all(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  /** Copies the piece, which belongs to the caller. `needed`: the bytes of what is whole, as far as that is known. */
  add(piece: Buffer, needed: number): void {
    const length = this.length + piece.length
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, Math.min(2 * this.bytes.length, needed)))
      this.bytes.copy(larger, 0, 0, this.length)
      this.bytes = larger
    }
    piece.copy(this.bytes, this.length)
    this.length = length
  }

  clear(): void {
    this.bytes = Buffer.alloc(0)
    this.length = 0
  }
}
