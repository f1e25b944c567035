import type { HeaderScan } from './header-scan.ts'
import { scratch, unescapeInto } from './unescape.ts'
import { nameAt } from './view.ts'

/** Up to this length a loop is quicker than a call. */
const loopBytes = 48

/**
 * Copies what a signature is over, before the body: the texts of all fields but the signature, in the order of their
 * names, where they stand in the read buffer. Returns the end; -1 where only the decoder can say what it is, or there is no room.
 */
export function copySigned(scan: HeaderScan, into: Buffer, from: number): number {
  const { fields, bytes, starts, ends, escaped } = scan
  if (fields === undefined || scan.isStrange) return -1
  const { signed } = fields
  let at = from
  for (let i = 0; i < signed.length; i++) {
    const slot = signed[i] as number
    const start = starts[slot] as number
    if (start < 0) continue
    const end = ends[slot] as number
    if (at + end - start > into.length) return -1
    if (escaped[slot] === 1) {
      const length = unescapeInto(bytes, start, end)
      if (length < 0) return -1
      at = copy({ bytes: scratch, start: 0, end: length }, into, at)
    } else if (end - start > loopBytes) at += bytes.copy(into, at, start, end)
    else for (let from = start; from < end; from++) into[at++] = bytes[from] as number
  }
  return at
}

function copy({ bytes, start, end }: { bytes: Buffer; start: number; end: number }, into: Buffer, at: number): number {
  return at + bytes.copy(into, at, start, end)
}

/** A field by its name; undefined where it is not there. Throws HeaderError, as a fill of the view would. */
export function textNamed(scan: HeaderScan, name: string): string | undefined {
  const slot = scan.fields?.slotNamed(name) ?? -1
  return slot < 0 || (scan.starts[slot] as number) < 0 ? undefined : nameAt(scan, slot, name)
}
