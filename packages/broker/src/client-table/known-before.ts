import { type Clock, delay, part, type Service } from '@skua-mq/runtime'
import type { GroupTable } from '../group/group-table.ts'

/** Clients of Java before 5.x, and of Go, tell who they are every 30 s, and not when they connect again. */
const heartbeatsMs = 35_000
/**
 * Clients wait 3 s for who belongs to their group, and stay with their queues without an answer. Go's take a refusal for a group without
 * members, and give up all queues until after their next heartbeat.
 */
const disbeliefMs = 4000

/** Groups that this broker knew when it began: their members are perhaps there, and have not said so yet. */
export class KnownBefore {
  readonly service: Service
  private readonly groups: Pick<GroupTable, 'all'>
  private readonly clock: Pick<Clock, 'monotonic' | 'after'>
  private names: ReadonlySet<string> = new Set()
  private readonly ending = new AbortController()
  private untilMs = Number.NEGATIVE_INFINITY

  constructor(parts: { readonly groups: Pick<GroupTable, 'all'>; readonly clock: Pick<Clock, 'monotonic' | 'after'> }) {
    this.groups = parts.groups
    this.clock = parts.clock
    this.service = part('groups known before', {
      start: () => this.begin(),
      stop: () => this.ending.abort(),
    })
  }

  has(group: string): boolean {
    if (this.names.size > 0 && this.clock.monotonic() >= this.untilMs) this.names = new Set()
    return this.names.has(group)
  }

  /** Resolves when nobody waits any more for the answer that the group has no members; at once for other groups. */
  async disbelieved(group: string): Promise<void> {
    if (this.has(group)) await delay(this.clock, disbeliefMs, this.ending.signal).catch(() => {})
  }

  private begin(): void {
    this.names = new Set(this.groups.all().keys())
    this.untilMs = this.clock.monotonic() + heartbeatsMs
  }
}
