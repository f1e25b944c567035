/** A disk writes this much or nothing. */
export const sectorBytes = 512

/** Whether `bytes[from, to)` holds so many zeros in a row that they may fill a sector. One look per sector, where there are none. */
export function hasZeroSector(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from + sectorBytes - 1; at < to; at += sectorBytes) {
    if (bytes[at] !== 0) continue
    let first = at
    while (first > from && bytes[first - 1] === 0) first--
    while (at + 1 < to && bytes[at + 1] === 0) at++
    if (at + 1 - first >= sectorBytes) return true
  }
  return false
}
