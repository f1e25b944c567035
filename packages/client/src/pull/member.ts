import type { MessageModel, MessageQueue } from '@skua-mq/protocol'
import { ConsumeStats } from '../consume/consume-stats.ts'
import type { Offsets } from '../consume/offset-store/offsets.ts'
import type { Process } from '../consume/owned-queues.ts'
import type { Rebalance } from '../consume/rebalance.ts'
import { runningInfo } from '../consume/running-info.ts'
import type { StartRules } from '../consume/start-offset.ts'
import type { Subscriptions } from '../consume/subscriptions.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { ConsumerMember } from '../instance/members.ts'

export interface PullMemberParts {
  readonly instance: ClientInstance
  /** On the wire. */
  readonly group: string
  readonly messageModel: MessageModel
  readonly subscriptions: Subscriptions
  readonly offsets: Offsets
  readonly rebalance: Rebalance
  readonly emit: EmitEvent
  readonly consumeFromWhere: StartRules['consumeFromWhere']
  /** Topics beside those of its subscriptions. */
  readonly assignedTopics?: () => readonly string[]
  /** What it has pulled; nothing where its caller pulls. */
  readonly owned: Iterable<[MessageQueue, Process]>
}

/** A consumer that asks for its messages, as brokers and operators see it. */
export function pullMember(parts: PullMemberParts): ConsumerMember {
  const { instance, group, messageModel, consumeFromWhere, subscriptions, offsets, emit, owned } = parts
  const stats = new ConsumeStats(instance.clock)
  const startedAtMs = instance.clock.now()
  return {
    group,
    emit,
    topics: () => [...subscriptions.topics(), ...(parts.assignedTopics?.() ?? [])],
    consumerData: () => ({
      groupName: group,
      consumeType: 'CONSUME_ACTIVELY',
      messageModel,
      consumeFromWhere,
      subscriptionDataSet: subscriptions.list(),
      unitMode: false,
    }),
    membersChanged: () => void parts.rebalance.now(),
    // Only push consumers react to 220 (client.md 9).
    resetOffsets: () => {},
    offsetsOf: topic => offsets.snapshot(topic),
    runningInfo: () =>
      runningInfo({
        clock: instance.clock,
        settings: { orderly: false, concurrency: 0, messageModel, consumeFromWhere },
        nameServers: instance.names.addresses,
        startedAtMs,
        consumeType: 'CONSUME_ACTIVELY',
        subscriptions,
        stats,
        offsets,
        owned,
      }),
    consumeDirectly: () => undefined,
  }
}
