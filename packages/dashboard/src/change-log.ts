import type { Clock } from '@skua-mq/runtime'
import type { User } from './endpoint.ts'
import { isSecret, shownValue } from './secrets.ts'

/** Changes that are remembered; the oldest one goes first. */
export const maxChanges = 500
/** Longest text of what was asked for. */
const maxTextLength = 2_000

/** Something that somebody changed here. */
export interface Change {
  readonly atMs: number
  readonly who: string
  /** Address of whoever asked. */
  readonly from: string
  readonly cluster: string
  /** The endpoint's name. */
  readonly action: string
  /** Its parameters as JSON, without bodies and secrets; cut where it is long. */
  readonly what: string
  /** What went wrong; null where it was done. */
  readonly problem: string | null
}

/** Content and secrets are not the change itself. */
const told = (name: string, value: unknown): unknown =>
  value !== undefined && (name === 'body' || isSecret(name))
    ? '…'
    : typeof value === 'string'
      ? shownValue(name, value)
      : value

/** Who changed what and when: the last ones, in memory. */
export class ChangeLog {
  private readonly clock: Clock
  private readonly changes: Change[] = []

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Oldest first. */
  all(): readonly Change[] {
    return this.changes
  }

  add(
    by: { readonly user: User; readonly from: string; readonly cluster: string },
    { action, params, problem }: { readonly action: string; readonly params: object; readonly problem: string | null },
  ): void {
    const shown = JSON.stringify(params, told)
    this.changes.push({
      atMs: this.clock.now(),
      who: by.user.name,
      from: by.from,
      cluster: by.cluster,
      action,
      what: shown.length > maxTextLength ? `${shown.slice(0, maxTextLength)}…` : shown,
      problem,
    })
    if (this.changes.length > maxChanges) this.changes.shift()
  }
}
