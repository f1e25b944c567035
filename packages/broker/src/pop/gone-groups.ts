import { defineEvent, type Events } from '@skua-mq/runtime'
import type { CheckPoints } from './check-points.ts'
import type { PopJournal } from './journal.ts'

/** After a restart its messages in flight come to a group of that name. */
export const goneGroupNotNoted = defineEvent<{ group: string; remark: string }>(
  'the log does not hold that a group which pops is deleted',
  'warn',
)

export interface GoneGroupsParts {
  readonly points: CheckPoints
  readonly journal: Pick<PopJournal, 'groupGone'>
  readonly events: Events
}

/**
 * Nobody is left whom the messages in flight of a deleted group belong to. The log says so behind their check points: a start, or a
 * slave that takes over, must tell such a group from one whose table it does not have.
 */
export class GoneGroups {
  private readonly parts: GoneGroupsParts
  private readonly writing = new Set<Promise<void>>()

  constructor(parts: GoneGroupsParts) {
    this.parts = parts
  }

  /** `to`: where the log ended when the group left. A member that came while the disk took that is of another group of its name. */
  add(group: string, to: number): void {
    const { points, journal, events } = this.parts
    if (points.dropWhere(point => point.group === group && point.isBefore(to)) === 0) return
    const written = new Promise<void>(resolve => {
      const stored = ({ isStored, remark }: { isStored: boolean; remark: string }) => {
        if (!isStored) events.emit(goneGroupNotNoted({ group, remark }))
        resolve()
      }
      journal.groupGone({ group, to }, { stored })
    }).finally(() => this.writing.delete(written))
    this.writing.add(written)
  }

  /** What was noted is in the log, or cannot be. */
  async settled(): Promise<void> {
    await Promise.all(this.writing)
  }
}
