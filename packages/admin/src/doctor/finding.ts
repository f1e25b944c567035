/** Something that is wrong, or will be. */
export interface Finding {
  /** error: clients suffer from it now, or messages are at risk. */
  readonly severity: 'error' | 'warning'
  /** What was looked for, as docs/operate.md names it. */
  readonly check: string
  /** One sentence: what it is, and what to do. */
  readonly sentence: string
}

/** A finding that must not wait. */
export const grave = (check: string, sentence: string): Finding => ({ severity: 'error', check, sentence })

/** A finding to think about. */
export const hint = (check: string, sentence: string): Finding => ({ severity: 'warning', check, sentence })

/** Names that a sentence lists; the rest are a number. */
const maxNamed = 5

/** `a, b and 3 more`. */
export function listed(names: readonly string[]): string {
  if (names.length <= maxNamed) return names.join(', ')
  return `${names.slice(0, maxNamed).join(', ')} and ${names.length - maxNamed} more`
}
