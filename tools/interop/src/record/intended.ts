/** Answers of ours that differ from the recorded ones on purpose. Nothing else may differ. */
export interface IntendedDifference {
  readonly recording: RegExp
  /** Request code. */
  readonly code: number
  readonly what: RegExp
  readonly reason: string
  /** False where it depends on timing: whoever is faster. */
  readonly always: boolean
}

export const intendedDifferences: readonly IntendedDifference[] = []
