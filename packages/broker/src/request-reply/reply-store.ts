import { offsetMessageId } from '@skua-mq/protocol'
import { Draft, type MessageStore, type PutResult } from '@skua-mq/store'
import { maxPropertiesBytes } from '../send/property-rewrite.ts'
import { type ReplyHeader, stampReply } from './reply-push.ts'

export interface StoredReply {
  readonly msgId: string
  readonly queueOffset: number
}

/** Bits of sysFlag that a sender has no say in: hosts and transaction (remoting.md 14.3). */
const ownBits = 0xcc | 0x30

/** Keeps a reply in its topic, as any message; undefined when the store did not take it, which harms nobody. */
export function storeReply(
  store: Pick<MessageStore, 'append'>,
  reply: {
    header: ReplyHeader
    body: Uint8Array
    queueId: number
    bornHost: Uint8Array
    storeHost: Uint8Array
    nowMs: number
  },
): Promise<StoredReply | undefined> {
  const { header, body } = reply
  const properties = Buffer.from(stampReply(header.properties, reply.nowMs).text)
  if (properties.length > maxPropertiesBytes) return Promise.resolve(undefined)
  const draft = new Draft()
  draft.topic = header.topic
  draft.queueId = reply.queueId
  draft.flag = header.flag
  draft.sysFlag = header.sysFlag & ~ownBits
  draft.bornAtMs = header.bornTimestamp
  draft.bornHost = reply.bornHost
  draft.reconsumeTimes = header.reconsumeTimes ?? 0
  draft.body = body
  draft.bodyEnd = body.length
  draft.properties = properties
  draft.propertiesEnd = properties.length
  return new Promise(resolve => {
    const stored = (result: PutResult) => {
      const msgId = offsetMessageId(reply.storeHost, result.physicalOffset)
      resolve(result.isStored ? { msgId, queueOffset: result.queueOffset } : undefined)
    }
    store.append(draft, { stored })
  })
}
