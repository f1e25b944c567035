import { notifyConsumerIdsChanged } from '@skua-mq/protocol'
import type { Connection } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import type { ConsumerGroup } from './consumer-groups.ts'

/**
 * A newcomer is told later than the others: it rebalances by itself when its heartbeat is answered. Told before that
 * answer, a Java client 5.x rebalances while its heartbeat lock is still held, cannot announce the new version of its
 * subscriptions, and is refused with 25 until its next heartbeat, 30 s later.
 */
export const newcomerNotifyMs = 200

/** Groups of up to so many members are told as often as they change. */
const smallGroup = 64
/** Of a larger one so many a millisecond, since each of them asks for the list of all. */
const noticesPerMs = 1
/** And so many ids in those lists: some 30 MB a second. */
const idsPerMs = 1000
/** Clients rebalance so often by themselves. */
const longestPauseMs = 20_000

/** Members that are told in one turn: a millisecond. */
const toldPerTurn = 500

/**
 * 40: the members of a group are told that it changed, and rebalance. Once for all changes of a turn, and some members in
 * each: where thousands leave together, each of them would be told of by all the others otherwise, millions of times. A
 * large group whose members come one after another, as in a deployment, is told of many of them at once.
 */
export class GroupNews {
  private readonly clock: Pick<Clock, 'after' | 'monotonic'>
  private readonly changed = new Set<ConsumerGroup>()
  /** By group, connections that came a moment ago. */
  private readonly newcomers = new WeakMap<ConsumerGroup, Set<number>>()
  private telling: Generator<[string, Connection]> | undefined

  /** When the last round of a group began, monotonic. */
  private readonly toldAtMs = new WeakMap<ConsumerGroup, number>()
  /** Groups whose next round is set. */
  private readonly resting = new WeakSet<ConsumerGroup>()

  constructor(clock: Pick<Clock, 'after' | 'monotonic'>) {
    this.clock = clock
  }

  /** `newcomer`: whose heartbeat made the change. */
  tell(group: ConsumerGroup, newcomer?: Connection): void {
    if (newcomer !== undefined) this.tellLater(group, newcomer)
    const waitMs = this.restOf(group)
    if (waitMs <= 0) this.begin(group)
    else if (!this.resting.has(group)) {
      this.resting.add(group)
      this.clock.after(waitMs, () => {
        this.resting.delete(group)
        this.begin(group)
      })
    }
  }

  /** How long a group has still to wait for its next round. */
  private restOf(group: ConsumerGroup): number {
    const { size } = group.members
    const toldAtMs = this.toldAtMs.get(group)
    if (size <= smallGroup || toldAtMs === undefined) return 0
    const pauseMs = Math.max(size / noticesPerMs, (size * size) / idsPerMs)
    return Math.min(pauseMs, longestPauseMs) - (this.clock.monotonic() - toldAtMs)
  }

  private begin(group: ConsumerGroup): void {
    this.changed.add(group)
    if (this.telling !== undefined) return
    this.telling = this.members()
    this.clock.after(0, () => this.proceed())
  }

  private proceed(): void {
    for (let left = toldPerTurn; left > 0; left--) {
      const next = this.telling?.next()
      if (next === undefined || next.done === true) {
        this.telling = undefined
        return
      }
      tellMember(...next.value)
    }
    this.clock.after(0, () => this.proceed())
  }

  /** Of all groups that changed; what changes meanwhile comes behind them. */
  private *members(): Generator<[string, Connection]> {
    for (const group of this.changed) {
      this.changed.delete(group)
      this.toldAtMs.set(group, this.clock.monotonic())
      for (const { connection } of group.members.values())
        if (this.newcomers.get(group)?.has(connection.id) !== true) yield [group.group, connection]
    }
  }

  private tellLater(group: ConsumerGroup, newcomer: Connection): void {
    const newcomers = this.newcomers.get(group) ?? new Set()
    this.newcomers.set(group, newcomers)
    newcomers.add(newcomer.id)
    this.clock.after(newcomerNotifyMs, () => {
      newcomers.delete(newcomer.id)
      if (newcomer.open && group.members.has(newcomer.id)) tellMember(group.group, newcomer)
    })
  }
}

function tellMember(consumerGroup: string, connection: Connection): void {
  connection.tell({ code: notifyConsumerIdsChanged.code, extFields: { consumerGroup } })
}
