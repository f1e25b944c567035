import { PropertyName } from '@skua-mq/protocol'
import { delivered } from '../message/delivered.ts'
import type { HalfMessages } from './half-messages.ts'
import type { TransactionCheck } from './membership.ts'
import type { CommandStream } from './questions.ts'

export interface ChecksParts {
  readonly halves: HalfMessages
}

/** Brokers' questions about half messages, on their way to a producer of the topic. */
export class Checks {
  private readonly parts: ChecksParts

  constructor(parts: ChecksParts) {
    this.parts = parts
  }

  /** Asks the producer that the broker chose; one whose stream is not open is asked again later. */
  take(check: TransactionCheck, asked: CommandStream | undefined): void {
    const { message, brokerAddress, tranStateTableOffset, commitLogOffset } = check
    const topic = message.properties.get(PropertyName.realTopic) ?? message.topic
    const transactionId = message.properties.get(PropertyName.uniqueKey) ?? message.offsetMsgId
    this.parts.halves.put(topic, transactionId, { brokerAddress, tranStateTableOffset, commitLogOffset })
    const command = { message: delivered(message, { topic }), transactionId }
    asked?.send({ recoverOrphanedTransactionCommand: command })
  }
}
