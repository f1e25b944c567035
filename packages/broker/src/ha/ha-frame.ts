const word = 0x1_0000_0000

/** What a slave reports: the end of its log (ha.md 2). */
export const reportBytes = 8
/** Before the bytes of the log: where they begin, and how many they are; 0 is a heartbeat. */
export const frameHeadBytes = 12

export function encodeReport(offset: number): Buffer {
  const bytes = Buffer.allocUnsafe(reportBytes)
  writeOffset(bytes, offset)
  return bytes
}

export function encodeFrameHead(offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeadBytes)
  writeOffset(bytes, offset)
  bytes.writeInt32BE(length, 8)
  return bytes
}

export const readOffset = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * word + bytes.readUInt32BE(at + 4)

function writeOffset(bytes: Buffer, offset: number): void {
  bytes.writeInt32BE(Math.floor(offset / word), 0)
  bytes.writeInt32BE(offset | 0, 4)
}
