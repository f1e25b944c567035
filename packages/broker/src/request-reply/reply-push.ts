import {
  type HeaderOf,
  PropertyName,
  parseProperties,
  printProperties,
  pushReplyMessageToClient,
  ResponseCode,
  type sendReplyMessage,
  writeFields,
} from '@skua-mq/protocol'
import type { Connection } from '@skua-mq/remoting'

/** How long a requester may take to acknowledge its reply (remoting.md 13). */
export const pushReplyTimeoutMs = 10_000

export type ReplyHeader = HeaderOf<typeof sendReplyMessage>

export interface ReplyPush {
  readonly header: ReplyHeader
  readonly body: Uint8Array
  /** The replier, and where this broker keeps the message, as `ip:port`. */
  readonly bornHost: string
  readonly storeHost: string
  readonly nowMs: number
}

/** A reply's properties as the requester and the store get them: with the time at which the broker passed it on. */
export function stampReply(
  properties: string | undefined,
  nowMs: number,
): { text: string; replyTo: string | undefined } {
  const map = parseProperties(properties ?? '')
  map.set(PropertyName.pushReplyTime, String(nowMs))
  return { text: printProperties(map), replyTo: map.get(PropertyName.replyToClient) }
}

/**
 * 326: hands a reply to the client that asked for it. Returns undefined when the client took it, else why it did not.
 */
export async function pushReply(
  push: ReplyPush,
  find: (clientId: string) => { readonly connection: Connection } | undefined,
): Promise<string | undefined> {
  const { header, nowMs, bornHost, storeHost, body } = push
  const { text, replyTo } = stampReply(header.properties, nowMs)
  if (replyTo === undefined) return `the reply names no client: its property ${PropertyName.replyToClient} is missing`
  const client = find(replyTo)
  if (client === undefined) return `push reply message fail, channel of <${replyTo}> not found: it is no producer here`
  const fields = { ...header, properties: text, bornHost, storeHost, storeTimestamp: nowMs }
  const extFields = writeFields(pushReplyMessageToClient.header, fields)
  try {
    const reply = await client.connection.call(
      { code: pushReplyMessageToClient.code, extFields, body },
      pushReplyTimeoutMs,
    )
    if (reply.code === ResponseCode.success) return undefined
    return `push reply message to ${replyTo} fail: it answered ${reply.code} ${reply.remark ?? ''}`
  } catch (error) {
    return `push reply message to ${replyTo} fail: ${(error as Error).message}`
  }
}
