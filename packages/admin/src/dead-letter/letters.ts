import { deadLetterPrefix, PropertyName, ResponseCode } from '@skua-mq/protocol'
import { AdminError } from '../error.ts'
import type { FoundMessage } from '../message/message.ts'
import { readQueue, readQueues } from '../message/pull.ts'
import type { AdminSession } from '../session.ts'
import { findTopicRoute } from '../topic/route.ts'

/** A message that a group gave up. */
export interface DeadLetter extends FoundMessage {
  /** The topic that it was sent to first; null where the message does not tell. */
  readonly originTopic: string | null
}

/** The topic that a dead letter was sent to first, null where it does not tell: those that it is passed through on its way are no origin. */
export function originTopicOf({ properties }: Pick<FoundMessage, 'properties'>): string | null {
  const told = [PropertyName.dlqOriginTopic, PropertyName.retryTopic, PropertyName.realTopic].map(
    name => properties[name],
  )
  return told.find(topic => topic !== undefined && topic !== '' && !topic.startsWith('%')) ?? null
}

/** Dead letters of a group as they lie, queue by queue; none where it has no such topic. Errors: REFUSED. */
export async function* deadLetters(session: AdminSession, group: string): AsyncGenerator<DeadLetter, void, void> {
  const topic = deadLetterPrefix + group
  if ((await findTopicRoute(session, topic)) === undefined) return
  try {
    for (const queue of await readQueues(session, topic))
      for await (const message of readQueue(session, queue)) yield { ...message, originTopic: originTopicOf(message) }
  } catch (error) {
    throw readable(error, topic)
  }
}

/** Apache's broker makes topics of dead letters that can only be written. */
function readable(error: unknown, topic: string): unknown {
  if (!(error instanceof AdminError) || error.responseCode !== ResponseCode.noPermission) return error
  const advice = `if the topic may not be read: skua mqadmin updateTopicPerm -c CLUSTER -t ${topic} -p 6`
  return new AdminError('REFUSED', `${error.message}; ${advice}`, { ...error, cause: error })
}

/** The dead letter of this id. Errors: NOT_FOUND. */
export async function findLetter(session: AdminSession, group: string, id: string): Promise<DeadLetter> {
  for await (const letter of deadLetters(session, group)) if (isNamedLetter(letter, id)) return letter
  throw new AdminError('NOT_FOUND', `group ${group} has no dead letter ${id}: skua dlq list ${group} shows them`)
}

/** Whether this id, unique or of a place, of the dead letter or of its origin, means the message. */
export const isNamedLetter = ({ msgId, offsetMsgId, properties }: FoundMessage, id: string): boolean =>
  id === msgId || id === offsetMsgId || id === properties[PropertyName.originMessageId]
