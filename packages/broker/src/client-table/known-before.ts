import { type Clock, part, type Service } from '@skua-mq/runtime'
import type { GroupTable } from '../group/group-table.ts'

/** Clients of Java before 5.x, and of Go, tell who they are every 30 s, and not when they connect again. */
const heartbeatsMs = 35_000

/** Groups that this broker knew when it began: their members are perhaps there, and have not said so yet. */
export class KnownBefore {
  readonly service: Service
  private names: ReadonlySet<string> = new Set()
  private untilMs = Number.NEGATIVE_INFINITY
  private readonly clock: Pick<Clock, 'monotonic'>

  constructor({
    groups,
    clock,
  }: { readonly groups: Pick<GroupTable, 'all'>; readonly clock: Pick<Clock, 'monotonic'> }) {
    this.clock = clock
    this.service = part('groups known before', {
      start: () => {
        this.names = new Set(groups.all().keys())
        this.untilMs = clock.monotonic() + heartbeatsMs
      },
    })
  }

  has(group: string): boolean {
    if (this.names.size > 0 && this.clock.monotonic() >= this.untilMs) this.names = new Set()
    return this.names.has(group)
  }
}
