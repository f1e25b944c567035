import type {
  ConsumeMessageDirectlyResult,
  ConsumerData,
  ConsumerRunningInfo,
  MessageQueue,
  StoredMessage,
} from '@skua-mq/protocol'
import { ClientError } from '../error.ts'
import type { EmitEvent } from '../events.ts'

/** The broker asks what became of a half message (remoting.md 12). */
export interface TransactionCheck {
  readonly message: StoredMessage
  readonly tranStateTableOffset: number
  readonly commitLogOffset: number
  readonly transactionId: string | undefined
  /** Of the broker that asks. */
  readonly address: string
}

/** What a shared instance sees of a client. Groups are named as on the wire. */
export interface Member {
  readonly group: string
  /** Topics whose routes are to be kept fresh. */
  topics(): Iterable<string>
  readonly emit: EmitEvent
}

export interface ProducerMember extends Member {
  checkTransaction(check: TransactionCheck): void
}

export interface ConsumerMember extends Member {
  consumerData(): ConsumerData
  /** 40: rebalance now. */
  membersChanged(): void
  /** 220. */
  resetOffsets(topic: string, offsets: ReadonlyMap<MessageQueue, number>): void
  /** 221. */
  offsetsOf(topic: string): Map<MessageQueue, number>
  /** 307. */
  runningInfo(): ConsumerRunningInfo
  /** 309; undefined for a client without a handler. */
  consumeDirectly(message: StoredMessage, brokerName: string): Promise<ConsumeMessageDirectlyResult> | undefined
}

/** The clients of one instance. A group name may be used once (client.md 1). */
export class Members {
  readonly producers = new Map<string, ProducerMember>()
  readonly consumers = new Map<string, ConsumerMember>()

  addProducer(member: ProducerMember): void {
    add(this.producers, member)
  }

  addConsumer(member: ConsumerMember): void {
    add(this.consumers, member)
  }

  topics(): Set<string> {
    const topics = new Set<string>()
    for (const member of this.all()) for (const topic of member.topics()) topics.add(topic)
    return topics
  }

  get size(): number {
    return this.producers.size + this.consumers.size
  }

  /** Tells all clients. */
  readonly emit: EmitEvent = (name, fields) => {
    for (const member of this.all()) member.emit(name, fields)
  }

  private *all(): Generator<Member> {
    yield* this.producers.values()
    yield* this.consumers.values()
  }
}

function add<M extends Member>(members: Map<string, M>, member: M): void {
  if (members.has(member.group)) {
    throw new ClientError(
      'STATE',
      `group ${member.group} is used twice in one client instance: give the second client an instanceName of its own`,
    )
  }
  members.set(member.group, member)
}
