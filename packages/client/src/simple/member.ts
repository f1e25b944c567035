import type { ConsumerRunningInfo } from '@skua-mq/protocol'
import type { Subscriptions } from '../consume/subscriptions.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { ConsumerMember } from '../instance/members.ts'

export interface SimpleMemberParts {
  readonly instance: ClientInstance
  /** On the wire. */
  readonly group: string
  readonly subscriptions: Subscriptions
  readonly emit: EmitEvent
}

/** A consumer that pops, as brokers and operators see it: it has no queues and no offsets of its own. */
export function simpleMember({ instance, group, subscriptions, emit }: SimpleMemberParts): ConsumerMember {
  const startedAtMs = instance.clock.now()
  return {
    group,
    emit,
    topics: () => subscriptions.topics(),
    consumerData: () => ({
      groupName: group,
      consumeType: 'CONSUME_POP',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      subscriptionDataSet: subscriptions.list(),
      unitMode: false,
    }),
    membersChanged: () => {},
    resetOffsets: () => {},
    offsetsOf: () => new Map(),
    runningInfo: (): ConsumerRunningInfo => ({
      properties: new Map([
        ['PROP_NAMESERVER_ADDR', `${instance.names.addresses.join(';')};`],
        ['PROP_CONSUME_TYPE', 'CONSUME_POP'],
        ['PROP_CONSUMER_START_TIMESTAMP', String(startedAtMs)],
      ]),
      subscriptionSet: subscriptions.list(),
      mqTable: new Map(),
      statusTable: new Map(),
    }),
    consumeDirectly: () => undefined,
  }
}
