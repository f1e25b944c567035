/** Half messages that cannot be read and are tried again in each round; with more the round ends before the next one. */
export const maxUnreadableHalves = 1024
/**
 * So long such a message keeps a start from beginning behind it, counted from when others could be read: then it is the place that
 * is bad and not the disk, and a start would read for long.
 */
export const heldMs = 600_000

/** Half messages that were put aside, since the disk does not give them. */
export class UnreadableHalves {
  /** Until when each is held, monotonic. */
  private readonly halves = new Map<number, number>()

  get size(): number {
    return this.halves.size
  }

  has(halfOffset: number): boolean {
    return this.halves.has(halfOffset)
  }

  offsets(): readonly number[] {
    return [...this.halves.keys()]
  }

  add(halfOffset: number, nowMs: number): void {
    this.halves.set(halfOffset, nowMs + heldMs)
  }

  delete(halfOffset: number): void {
    this.halves.delete(halfOffset)
  }

  /** Whether a start has to look at one of them again. While nothing else could be read, their time does not pass. */
  isHeld(nowMs: number, hasReadOthers: boolean): boolean {
    if (!hasReadOthers) for (const halfOffset of this.halves.keys()) this.add(halfOffset, nowMs)
    for (const untilMs of this.halves.values()) if (untilMs > nowMs) return true
    return false
  }
}
