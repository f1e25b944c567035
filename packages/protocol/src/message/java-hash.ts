/** Java's hash of a string: over its UTF-16 units, `h = 31 h + unit`, kept to 32 signed bits. 0 for ''. */
export function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/**
 * The same hash of the text whose UTF-8 stands at [start, end). One pass and no string, because every stored
 * message needs it for its tag: ASCII never leaves the loop, the rest is decoded by the platform, so that broken
 * UTF-8 hashes as it reads.
 */
export function javaHashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte >= 0x80) return javaHash(utf8(bytes, start, end))
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  return hash
}

/** UTF-8 to text; what is not UTF-8 becomes U+FFFD. */
export function utf8(bytes: Uint8Array, start: number, end: number): string {
  if (Buffer.isBuffer(bytes)) return bytes.toString('utf8', start, end)
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}
