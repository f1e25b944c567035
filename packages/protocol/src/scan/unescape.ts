/** Room for the properties of one message, whose length field is a signed short, in their unescaped form. */
const scratchBytes = 256 * 1024

/** Where an unescaped text ends in `scratch`; -1 for an escape that JSON does not know or a text that is too long. */
export const scratch = Buffer.allocUnsafeSlow(scratchBytes)

/**
 * Undoes JSON's escapes of the bytes in [start, end) into `scratch` and returns the length there. Properties always
 * hold escapes, since their separators are control characters; the output is never longer than the input.
 */
export function unescapeInto(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > scratchBytes) return -1
  const out = scratch
  let at = start
  let to = 0
  while (at < end) {
    const byte = bytes[at++] as number
    if (byte !== 0x5c) {
      out[to++] = byte
      continue
    }
    const kind = bytes[at++]
    if (kind === 0x75) {
      let unit = hex4(bytes, at, end)
      if (unit < 0) return -1
      at += 4
      if (unit >= 0xd800 && unit < 0xdc00 && bytes[at] === 0x5c && bytes[at + 1] === 0x75) {
        const low = hex4(bytes, at + 2, end)
        if (low >= 0xdc00 && low < 0xe000) {
          unit = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
          at += 6
        }
      }
      to = putCodePoint(out, to, unit)
    } else {
      const plain = simpleEscape(kind)
      if (plain < 0) return -1
      out[to++] = plain
    }
  }
  return to
}

function hex4(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1
  let value = 0
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i] as number
    const digit = byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57
    if (digit < 0 || digit > 15 || (byte > 0x39 && digit < 10)) return -1
    value = (value << 4) | digit
  }
  return value
}

function simpleEscape(kind: number | undefined): number {
  switch (kind) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return kind
    case 0x62:
      return 8
    case 0x66:
      return 12
    case 0x6e:
      return 10
    case 0x72:
      return 13
    case 0x74:
      return 9
    default:
      return -1
  }
}

function putCodePoint(out: Uint8Array, at: number, code: number): number {
  if (code < 0x80) out[at++] = code
  else if (code < 0x800) {
    out[at++] = 0xc0 | (code >> 6)
    out[at++] = 0x80 | (code & 63)
  } else if (code < 0x1_0000) {
    out[at++] = 0xe0 | (code >> 12)
    out[at++] = 0x80 | ((code >> 6) & 63)
    out[at++] = 0x80 | (code & 63)
  } else {
    out[at++] = 0xf0 | (code >> 18)
    out[at++] = 0x80 | ((code >> 12) & 63)
    out[at++] = 0x80 | ((code >> 6) & 63)
    out[at++] = 0x80 | (code & 63)
  }
  return at
}
