const none = new ArrayBuffer(0)

/**
 * The DataView over the whole buffer in which bytes lie: positions are those of the bytes plus `base`. The
 * last one is kept, since the messages of a burst lie in one buffer and a view costs as much as copying 64 bytes.
 */
export class BufferView {
  /** Where the bytes of the last call begin in its view. */
  base = 0
  private bytes = new Uint8Array(none)
  private buffer: ArrayBufferLike = none
  private view: DataView = new DataView(none)

  of(bytes: Uint8Array): DataView {
    return bytes === this.bytes ? this.view : this.change(bytes)
  }

  /** Asking an array for its buffer is a call: not done for each message of a batch. */
  private change(bytes: Uint8Array): DataView {
    if (bytes.buffer !== this.buffer) {
      this.buffer = bytes.buffer
      this.view = new DataView(bytes.buffer)
    }
    this.bytes = bytes as Uint8Array<ArrayBuffer>
    this.base = bytes.byteOffset
    return this.view
  }
}
