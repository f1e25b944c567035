import { type MessageQueue, queryConsumerOffset, ResponseCode, updateConsumerOffset } from '@skua-mq/protocol'
import type { BrokerCalls } from '../../instance/broker-calls.ts'
import type { OffsetStorage } from './storage.ts'

/** Offsets of a clustering group, kept by each queue's broker. */
export class BrokerOffsetStorage implements OffsetStorage {
  private readonly calls: BrokerCalls
  private readonly group: string

  constructor(calls: BrokerCalls, group: string) {
    this.calls = calls
    this.group = group
  }

  async read(queue: MessageQueue): Promise<number | undefined> {
    const { topic, queueId, brokerName: bname } = queue
    const header = { consumerGroup: this.group, topic, queueId, bname }
    const allow = [ResponseCode.queryNotFound]
    const reply = await this.calls.atAny(queue, { spec: queryConsumerOffset, header, allow })
    return reply.code === ResponseCode.success ? reply.header.offset : undefined
  }

  /** All at once. Java sends these without waiting; the answers cost little, and whoever takes over the queue reads what is acknowledged. */
  async write(offsets: readonly (readonly [MessageQueue, number])[]): Promise<void> {
    await Promise.all(
      offsets.map(([queue, commitOffset]) => {
        const { topic, queueId, brokerName: bname } = queue
        const header = { consumerGroup: this.group, topic, queueId, commitOffset, bname }
        return this.calls.atMaster(queue, { spec: updateConsumerOffset, header })
      }),
    )
  }
}
