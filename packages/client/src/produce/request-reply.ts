import { PropertyName, replyTopicSuffix } from '@skua-mq/protocol'
import { ClientError } from '../error.ts'
import type { Draft } from '../message/outgoing.ts'
import type { ReceivedMessage } from '../message/received.ts'

/** Marks a message as a request that waits for its reply (remoting.md 14.7). */
export function makeRequest(draft: Draft, request: { correlationId: string; clientId: string; ttlMs: number }): void {
  draft.properties.set(PropertyName.correlationId, request.correlationId)
  draft.properties.set(PropertyName.replyToClient, request.clientId)
  draft.properties.set(PropertyName.timeToLive, String(request.ttlMs))
}

/** Whether its sender waits for a reply. */
export const wantsReply = (message: Pick<ReceivedMessage, 'properties'>): boolean =>
  message.properties.has(PropertyName.correlationId) && message.properties.has(PropertyName.replyToClient)

/** The reply to a request. Throws ClientError ARGUMENT for a message that is none. */
export function replyDraft(to: Pick<ReceivedMessage, 'properties'>, body: Uint8Array, msgId: string): Draft {
  const cluster = to.properties.get(PropertyName.cluster)
  if (!wantsReply(to) || cluster === undefined) {
    throw new ClientError('ARGUMENT', 'this message is no request: it names nobody to reply to')
  }
  const properties = new Map<string, string>([
    [PropertyName.messageType, 'reply'],
    [PropertyName.uniqueKey, msgId],
    [PropertyName.waitStoreMsgOk, 'true'],
  ])
  for (const name of [PropertyName.correlationId, PropertyName.replyToClient, PropertyName.timeToLive]) {
    const value = to.properties.get(name)
    if (value !== undefined) properties.set(name, value)
  }
  return { topic: `${cluster}${replyTopicSuffix}`, body, properties, flag: 0, sysFlag: 0, msgId, batch: false }
}
