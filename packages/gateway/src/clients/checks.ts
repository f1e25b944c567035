import { PropertyName } from '@skua-mq/protocol'
import { delivered } from '../message/delivered.ts'
import type { GrpcClient } from './client.ts'
import type { HalfMessages } from './half-messages.ts'
import type { TransactionCheck } from './membership.ts'

export interface ChecksParts {
  readonly halves: HalfMessages
  readonly clients: () => Iterable<GrpcClient>
}

/** Brokers' questions about half messages, on their way to a producer of the topic. */
export class Checks {
  private readonly parts: ChecksParts

  constructor(parts: ChecksParts) {
    this.parts = parts
  }

  /** Asks one that is there; without one the broker asks again later. */
  take({ message, brokerAddress, tranStateTableOffset, commitLogOffset }: TransactionCheck): void {
    const topic = message.properties.get(PropertyName.realTopic) ?? message.topic
    const transactionId = message.properties.get(PropertyName.uniqueKey) ?? message.offsetMsgId
    this.parts.halves.put(topic, transactionId, { brokerAddress, tranStateTableOffset, commitLogOffset })
    for (const client of this.parts.clients()) {
      if (client.settings?.publishing === undefined || !client.topics.includes(topic)) continue
      const command = { message: delivered(message, { topic }), transactionId }
      if (client.stream?.send({ recoverOrphanedTransactionCommand: command })) return
    }
  }
}
