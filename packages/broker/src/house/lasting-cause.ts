/**
 * Why something that is tried again and again does not succeed: each cause is told once while it lasts, not at each try, and
 * again where it comes back.
 */
export class LastingCause {
  private cause: string | undefined

  /** Whether it is to be told. */
  isNew(cause: string): boolean {
    if (cause === this.cause) return false
    this.cause = cause
    return true
  }

  /** It has succeeded. */
  ended(): void {
    this.cause = undefined
  }
}
