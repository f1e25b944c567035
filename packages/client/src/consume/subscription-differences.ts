import { getConsumerConnectionList, ResponseCode } from '@skua-mq/protocol'
import type { ClientInstance } from '../instance/client-instance.ts'
import { isRetryTopic } from '../name/namespace.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface Difference {
  readonly topic: string
  readonly own: string
  /** What a broker has of the group; empty where it has nothing of the topic. */
  readonly others: string
}

/**
 * A broker has one subscription of a group for each topic, that of the member who spoke last: where it is not ours, another
 * member wants something else. Whoever may not ask is not told.
 */
export async function tellDifferences(parts: {
  readonly instance: ClientInstance
  /** On the wire. */
  readonly group: string
  readonly subscriptions: Subscriptions
  readonly told: (difference: Difference) => void
}): Promise<void> {
  const { instance, group, subscriptions, told } = parts
  for (const { topic, subString, expressionType } of subscriptions.list()) {
    if (isRetryTopic(topic)) continue
    const broker = instance.routes.known(topic)?.data.brokerDatas[0]
    const address = broker === undefined ? undefined : instance.routes.anyOf(broker.brokerName, 0)?.address
    if (address === undefined) continue
    const header = { consumerGroup: group }
    try {
      const reply = await instance.calls.ask(address, { spec: getConsumerConnectionList, header })
      if (reply.code !== ResponseCode.success || reply.body === undefined) continue
      const { connectionSet, subscriptionTable } = getConsumerConnectionList.replyBody!.decode(reply.body)
      const found = subscriptionTable.get(topic)
      // Alone it is our own word of before.
      if (connectionSet.length < 2 || (found?.subString === subString && found.expressionType === expressionType))
        continue
      told({
        topic,
        own: `${expressionType} ${subString}`,
        others: found === undefined ? 'nothing' : `${found.expressionType} ${found.subString}`,
      })
    } catch {
      // It is asked again in a minute.
    }
  }
}
