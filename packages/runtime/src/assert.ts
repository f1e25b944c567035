/** What the code itself promises does not hold: a fault of ours, never of a peer's or of the disk. */
export class BrokenInvariant extends Error {
  readonly code = 'EINVARIANT'
}

/** Always on: the invariant in words, as it should hold. Throws BrokenInvariant. */
export function assert(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new BrokenInvariant(`this should hold and does not: ${invariant}`)
}
