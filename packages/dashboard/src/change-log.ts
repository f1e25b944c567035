import type { Clock, Disk } from '@skua-mq/runtime'
import { ChangeFile } from './change-file.ts'
import type { User } from './endpoint.ts'
import { isSecret, shownValue } from './secrets.ts'

/** Changes that are shown; the oldest one goes first. */
export const maxChanges = 500
/** Longest text of what was asked for, and of what went wrong. */
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

const cut = (text: string): string => (text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text)

/** Who changed what and when: the last ones, kept in a file where one is given. */
export class ChangeLog {
  private readonly clock: Clock
  private readonly file: ChangeFile | undefined
  private readonly changes: Change[]

  /** Throws where the file cannot be read or written. */
  constructor({ clock, disk }: { readonly clock: Clock; readonly disk: Disk }, path?: string) {
    this.clock = clock
    this.file = path === undefined ? undefined : new ChangeFile(disk, path)
    this.changes = this.file?.read(maxChanges) ?? []
  }

  /** Oldest first. */
  all(): readonly Change[] {
    return this.changes
  }

  /** Where they are kept; undefined is in memory. */
  get path(): string | undefined {
    return this.file?.path
  }

  /** Why the last one could not be kept; undefined where it was. */
  get problem(): string | undefined {
    return this.file?.problem
  }

  add(
    by: { readonly user: User; readonly from: string; readonly cluster: string },
    { action, params, problem }: { readonly action: string; readonly params: object; readonly problem: string | null },
  ): void {
    const change: Change = {
      atMs: this.clock.now(),
      who: by.user.name,
      from: by.from,
      cluster: by.cluster,
      action,
      what: cut(JSON.stringify(params, told)),
      problem: problem === null ? null : cut(problem),
    }
    this.changes.push(change)
    if (this.changes.length > maxChanges) this.changes.shift()
    this.file?.add(change)
  }
}
