const most = 16

/** Why something failed, each reason once, since attempts go on for as long as it takes; anew when there were 16 of them. */
export class ToldReasons {
  private readonly reasons = new Set<string>()

  isNew(reason: string): boolean {
    if (this.reasons.has(reason)) return false
    if (this.reasons.size >= most) this.reasons.clear()
    this.reasons.add(reason)
    return true
  }

  clear(): void {
    this.reasons.clear()
  }
}
