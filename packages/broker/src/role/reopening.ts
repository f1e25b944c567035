import type { TailCut } from '@skua-mq/store'
import type { Role } from './role-book.ts'

/** What a broker begins anew as, within the same process. */
export interface Reopening extends Role {
  /** For whoever reads the log. */
  readonly reason: string
  /** Where its log is cut before. */
  readonly cut?: TailCut
}
