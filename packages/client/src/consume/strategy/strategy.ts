import type { MessageQueue } from '@skua-mq/protocol'

/** What a strategy decides from: all queues of the topic and all members of the group, both sorted. */
export interface Allocation {
  readonly group: string
  /** Ours. */
  readonly clientId: string
  /** Sorted by topic, broker name, queue id. */
  readonly queues: readonly MessageQueue[]
  /** Sorted by UTF-16 units. */
  readonly clientIds: readonly string[]
}

/**
 * How the queues of a topic are shared out among the members of a group (client.md 8). All members must use the same
 * one. A member that is not in the list gets nothing.
 */
export interface AllocateStrategy {
  /** Java's name of it: brokers and tools show it. */
  readonly name: string
  /** The queues of `clientId`. Pure, and the same on each member. */
  allocate(input: Allocation): readonly MessageQueue[]
}
