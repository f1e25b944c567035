import { BufferView } from './buffer-view.ts'

/** From here on TypedArray.set is quicker than words, also with the array that it needs for the span (measured on Node 20). */
const setFrom = 128

/**
 * Copies spans of bytes from buffer to buffer. Short ones by words of a DataView, since `set` needs a new array for each
 * span, which costs 60 ns and work for the collector, and single bytes take 1.5 ns each. One of these for each pair of
 * buffers: it keeps the views of those it saw last.
 */
export class SpanCopy {
  private readonly sources = new BufferView()
  private readonly outputs = new BufferView()

  /** Copies `from[start, end)` to `into[at)`, and returns the position behind it. Throws RangeError where it does not fit. */
  copy(into: Uint8Array, at: number, from: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length <= 0) return at
    // Views go over the whole buffer, past the ends of the arrays.
    if (start < 0 || end > from.length || at + length > into.length)
      throw new RangeError(`${length} bytes at ${at} do not fit`)
    if (length >= setFrom) {
      into.set(spanOf(from, start, end), at)
      return at + length
    }
    const source = this.sources.of(from)
    const out = this.outputs.of(into)
    let i = this.sources.base + start
    let o = this.outputs.base + at
    const last = i + length
    for (const lastWord = last - 4; i <= lastWord; i += 4, o += 4) out.setInt32(o, source.getInt32(i))
    for (; i < last; i++, o++) out.setUint8(o, source.getUint8(i))
    return at + length
  }
}

/** Not subarray: a Buffer's own costs more. */
export function spanOf(from: Uint8Array, start: number, end: number): Uint8Array {
  return start === 0 && end === from.length ? from : new Uint8Array(from.buffer, from.byteOffset + start, end - start)
}
