import { getMaxOffset, getMinOffset, type MessageQueue, searchOffsetByTimestamp } from '@skua-mq/protocol'
import type { BrokerCalls } from '../instance/broker-calls.ts'
import type { QueueEnds } from './start-offset.ts'

/** Questions about a queue's offsets, asked of its master, or of a slave where there is none. Queues are named as on the wire. */
export class QueueOffsets implements QueueEnds {
  private readonly calls: BrokerCalls

  constructor(calls: BrokerCalls) {
    this.calls = calls
  }

  /** The offset that the next message will get. */
  async maxOffset(queue: MessageQueue, signal?: AbortSignal): Promise<number> {
    const { topic, queueId } = queue
    return (await this.calls.atAny(queue, { spec: getMaxOffset, header: { topic, queueId }, signal })).header.offset
  }

  async minOffset(queue: MessageQueue, signal?: AbortSignal): Promise<number> {
    const { topic, queueId } = queue
    return (await this.calls.atAny(queue, { spec: getMinOffset, header: { topic, queueId }, signal })).header.offset
  }

  /** The first message that was stored at this time or later; ms since 1970. */
  async searchOffset(queue: MessageQueue, timestamp: number, signal?: AbortSignal): Promise<number> {
    const { topic, queueId } = queue
    const header = { topic, queueId, timestamp }
    return (await this.calls.atAny(queue, { spec: searchOffsetByTimestamp, header, signal })).header.offset
  }
}
