import {
  ackMessage,
  changeMessageInvisibleTime,
  consumerSendMsgBack,
  PropertyName,
  ResponseCode,
  topicOfMark,
} from '@skua-mq/protocol'
import type { Handle } from '../message/handle.ts'
import { refusedBy } from '../refused.ts'
import type { Brokers } from '../remote/brokers.ts'

/** What becomes of a message that was received. */
export interface Settler {
  /** It is consumed. */
  ack(handle: Handle): Promise<void>
  /** It comes again after another time. Resolves to the handle that counts from now on. */
  change(handle: Handle, invisibleMs: number): Promise<Handle>
  /** It goes to the dead letters. */
  bury(handle: Handle, properties?: ReadonlyMap<string, string>): Promise<void>
}

/** Settles messages of a group. Each throws Refused and NetError. */
export function settler(brokers: Brokers, { topic, group }: { topic: string; group: string }): Settler {
  const master = ({ brokerName }: Handle) => brokers.master(topic, brokerName)
  const header = (handle: Handle) => ({
    // What came from a retry topic lies there, and is settled there.
    ...{
      consumerGroup: group,
      topic: topicOfMark(handle.mark, topic, group) ?? topic,
      queueId: handle.queueId,
      extraInfo: infoOf(handle),
      offset: handle.queueOffset,
    },
  })
  const ack = async (handle: Handle) => {
    await brokers.want(await master(handle), { spec: ackMessage, header: header(handle) })
  }
  return {
    ack,
    change: async (handle, invisibleTime) => {
      const question = { spec: changeMessageInvisibleTime, header: { ...header(handle), invisibleTime } }
      const { header: changed } = await brokers.want(await master(handle), question)
      return { ...handle, ...changed, startOffset: handle.queueOffset }
    },
    bury: async (handle, properties) => {
      const buried = {
        ...{ offset: handle.commitLogOffset, group, delayLevel: -1, unitMode: false, maxReconsumeTimes: 0 },
        originMsgId: properties?.get(PropertyName.uniqueKey) ?? '',
        originTopic: topicOfMark(handle.mark, topic, group) ?? topic,
      }
      const reply = await brokers.ask(await master(handle), { spec: consumerSendMsgBack, header: buried })
      if (reply.code !== ResponseCode.success) throw refusedBy(reply.code, reply.remark)
      await ack(handle)
    },
  }
}

/** The eight parts that a broker knows. */
const infoOf = ({ startOffset, popTime, invisibleTime, reviveQid, mark, brokerName, queueId, queueOffset }: Handle) =>
  `${startOffset} ${popTime} ${invisibleTime} ${reviveQid} ${mark} ${brokerName} ${queueId} ${queueOffset}`
