import type { GroupConnections } from '../consumer/connection.ts'
import type { FoundMessage } from '../message/message.ts'
import type { QueueProgress } from '../queue-progress.ts'

/** What is known of a message and a group, before anybody judges. */
export interface Fate {
  readonly group: string
  readonly id: string
  readonly nowMs: number
  /** As it was sent; of one that is gone its oldest copy. */
  readonly message: FoundMessage
  /** The newest copy that the group made: in its retries, on the way there, or in its dead letters. */
  readonly copy: FoundMessage | undefined
  /** When what is delayed arrives, ms since 1970. */
  readonly dueMs: number | undefined
  /** Undefined while nobody of the group is connected. */
  readonly online: GroupConnections | undefined
  /** Topics in which the group has committed something. */
  readonly topics: readonly string[]
  /** Where the group stands in the queue that counts: that of the copy, or of the message. */
  readonly stands: QueueProgress | undefined
  /** The member that has this queue; '' for none, undefined where members do not tell. */
  readonly owner: string | undefined
  /** What the member that consumed it wrote into the trace topic. */
  readonly trace: { readonly clientHost: string; readonly atMs: number; readonly isDone: boolean } | undefined
  /** Why the group passed it by, out of the broker's history. */
  readonly skipped: string | undefined
}

/** Where a message lies, in words. */
export const placeText = ({ topic, brokerName, queueId }: Pick<FoundMessage, 'topic' | 'brokerName' | 'queueId'>) =>
  `queue ${brokerName}/${queueId} of ${topic}`
