import { getMinOffset, litePullMessage, ResponseCode, searchOffsetByTimestamp } from '@skua-mq/protocol'
import { answer, noReply, ok, route } from '@skua-mq/remoting'
import { LitePullConsumer, type LitePullConsumerOptions } from '../../src/index.ts'
import type { ReceivedMessage } from '../../src/message/received.ts'
import { records } from '../records.ts'
import { type World, world } from '../scripted-cluster.ts'

export const queue = (queueId: number, topic = 'T') => ({ topic, brokerName: 'b0', queueId })

/** A broker with `count` messages in each queue of T; those of 5.x take 361, those before know only 11. */
export async function withMessages(count: number, { lite = true, perPull = 10 } = {}) {
  const pulls: { code: number; queueId: number; offset: number; sysFlag: number; subscription: string | undefined }[] =
    []
  const found = ({ topic, queueId, queueOffset }: { topic: string; queueId: number; queueOffset: number }) => {
    if (topic !== 'T' || queueOffset >= count) return undefined
    const next = Math.min(count, queueOffset + perPull)
    return { next, body: records(queueOffset, next, { queueId }) }
  }
  const litePull = route(litePullMessage, header => {
    const { queueId, queueOffset: offset, sysFlag, subscription } = header
    pulls.push({ code: 361, queueId, offset, sysFlag, subscription })
    const batch = found(header)
    if (batch === undefined) return noReply
    const reply = { suggestWhichBrokerId: 0, nextBeginOffset: batch.next, minOffset: 0, maxOffset: count }
    return { ...answer(ResponseCode.success, reply), body: batch.body }
  })
  const at = await world(1, {
    routes: [
      ...(lite ? [litePull] : []),
      route(getMinOffset, () => ok({ offset: 0 })),
      route(searchOffsetByTimestamp, ({ timestamp }) => ok({ offset: timestamp })),
    ],
  })
  const broker = at.brokers[0]!
  broker.storedOffset = () => 0
  broker.onPull = header => {
    const { queueId, queueOffset: offset, sysFlag, subscription } = header
    pulls.push({ code: 11, queueId, offset, sysFlag, subscription })
    const batch = found(header)
    return batch === undefined ? 'held' : { code: ResponseCode.success, next: batch.next, body: batch.body }
  }
  return { at, broker, pulls }
}

export const consumerOf = ({ runtime, namesrvAddr }: World, options: Partial<LitePullConsumerOptions> = {}) =>
  new LitePullConsumer({ runtime, namesrvAddr, group: 'cg', ...options })

export const texts = (messages: readonly ReceivedMessage[]) =>
  messages.map(message => `${message.queue.queueId}:${message.text()}`)
