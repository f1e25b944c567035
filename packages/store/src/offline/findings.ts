/** Something that is not as it should be; one line. */
export type Finding = string

/** Of each kind so many are told one by one; the others are counted. */
export const findingsPerKind = 20

/** Gathers findings, so that a store of which all queues are wrong does not print a line for each message. */
export class Findings {
  private readonly counts = new Map<string, number>()
  private fresh: Finding[] = []

  add(kind: string, text: string): void {
    const count = (this.counts.get(kind) ?? 0) + 1
    this.counts.set(kind, count)
    if (count <= findingsPerKind) this.fresh.push(`${kind}${text}`)
  }

  /** What was added since the last time. */
  take(): Finding[] {
    const taken = this.fresh
    this.fresh = []
    return taken
  }

  /** A line for each kind of which not all were told. */
  rest(): Finding[] {
    return [...this.counts]
      .filter(([, count]) => count > findingsPerKind)
      .map(([kind, count]) => `${kind}… and ${count - findingsPerKind} more`)
  }
}
