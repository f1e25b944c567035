import type { MessageQueue } from '@skua-mq/protocol'
import type { ConsumerMember } from '../instance/members.ts'
import type { ConsumerLag } from './lag.ts'

/** How a push consumer comes by its messages: by shares of the queues, or by POP. It hands them to the handler itself. */
export interface ConsumeEngine {
  readonly member: ConsumerMember
  /** Before it is a member of the group. */
  load(): Promise<void>
  /** It is one, and the brokers have heard of it. */
  begin(): Promise<void>
  /** It subscribes to other topics now. */
  topicsChanged(): void
  /** Gives up what it has of a topic (on the wire). */
  forget(topic: string): Promise<void>
  /** That it owns now. */
  queues(): Iterable<MessageQueue>
  lag(): Promise<ConsumerLag>
  /** Takes nothing any more. */
  halt(): void
  /** What is under way has ended, but for handlers. */
  settle(): Promise<void>
  /** No handler runs. */
  idle(): Promise<void>
  /** What was done is written down. */
  end(): Promise<void>
}
