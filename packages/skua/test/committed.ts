import assert from 'node:assert/strict'
import { sendMessageV2, updateAndCreateSubscriptionGroup, updateConsumerOffset } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'

export const place = { consumerGroup: 'g', topic: 'BenchmarkTest', queueId: 0 }
export const committed = 7

/** So many messages in a queue, and a group that has consumed them: an offset behind the end of a queue is moved to it at a start. */
export async function commitSome(client: RemotingClient, address: string): Promise<void> {
  const { topic, queueId } = place
  const header = {
    ...{ producerGroup: 'pg', topic, queueId, defaultTopic: 'TBW102', defaultTopicQueueNums: 4 },
    ...{ sysFlag: 0, bornTimestamp: 1, flag: 0, unitMode: false, batch: false },
  }
  for (let i = 0; i < committed; i++)
    await client.request(address, sendMessageV2, header, { body: Buffer.from(String(i)) })
  const body = updateAndCreateSubscriptionGroup.body!.encode({ groupName: place.consumerGroup } as never)
  await client.request(address, updateAndCreateSubscriptionGroup, {}, { body })
  assert.equal((await client.request(address, updateConsumerOffset, { ...place, commitOffset: committed })).code, 0)
}
