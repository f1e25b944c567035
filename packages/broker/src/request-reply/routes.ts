import { encodeHost, Perm, ResponseCode, sendReplyMessage, sendReplyMessageV2 } from '@skua-mq/protocol'
import { type Call, type Connection, type Route, route } from '@skua-mq/remoting'
import type { Random } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { SendTopics } from '../send/send-handler.ts'
import type { SendStop } from '../send/send-stop.ts'
import { pushReply, type ReplyHeader } from './reply-push.ts'
import { type StoredReply, storeReply } from './reply-store.ts'

export interface ReplyRouteParts {
  readonly store: Pick<MessageStore, 'append'>
  readonly topics: SendTopics
  readonly random: Pick<Random, 'int'>
  readonly now: () => number
  /** A producer by its client id. */
  readonly requester: (clientId: string) => { readonly connection: Connection } | undefined
  readonly settings: {
    readonly regionId: string
    readonly traceOn: boolean
    readonly storeReplyMessageEnable: boolean
    readonly maxMessageSize: number
  }
  readonly storeHost: Uint8Array
  /** host:port of the same. */
  readonly storeAddress: string
}

const unknownHost = new Uint8Array(8)

/** 324, 325 (remoting.md 9.7): an answer of request-reply, passed on to the one who asked. */
export function replyRoutes(parts: ReplyRouteParts): Route[] {
  const handle = (header: ReplyHeader, call: Call) => pass(parts, header, call)
  return [route(sendReplyMessage, handle), route(sendReplyMessageV2, handle)]
}

async function pass(parts: ReplyRouteParts, header: ReplyHeader, { body, connection }: Call) {
  const { settings, topics, random, store, storeHost, storeAddress } = parts
  const extra = { MSG_REGION: settings.regionId, TRACE_ON: String(settings.traceOn) }
  const stop = refusalOf(header, body, parts)
  if (stop !== undefined) return { ...stop, extra }
  const queueId =
    header.queueId < 0 ? random.int(Math.max(1, topics.find(header.topic)!.writeQueueNums)) : header.queueId
  const nowMs = parts.now()
  const { host, port } = connection.remote
  const bornHost = encodeHost(host, port) ?? unknownHost
  const [failure, stored] = await Promise.all([
    pushReply({ header, body, nowMs, bornHost: `${host}:${port}`, storeHost: storeAddress }, parts.requester),
    settings.storeReplyMessageEnable
      ? storeReply(store, { header, body, queueId, bornHost, storeHost, nowMs })
      : undefined,
  ])
  return { ...outcome(failure), header: headerOf(stored, queueId), extra }
}

const outcome = (failure: string | undefined) =>
  failure === undefined ? { code: ResponseCode.success } : { code: ResponseCode.systemError, remark: failure }

/** Without a stored message there is no id: "0". */
const headerOf = (stored: StoredReply | undefined, queueId: number) =>
  stored === undefined ? { msgId: '0', queueId: 0, queueOffset: 0 } : { ...stored, queueId }

/** The checks of a send (remoting.md 9.2), as far as they concern a reply. */
function refusalOf(header: ReplyHeader, body: Uint8Array, { topics, settings }: ReplyRouteParts): SendStop | undefined {
  const { topic, defaultTopic, queueId } = header
  const refused = topics.refused(topic)
  if (refused !== undefined) return refused
  const found =
    topics.find(topic) ??
    topics.createFor({ topic, defaultTopic, queueNums: header.defaultTopicQueueNums, unitMode: header.unitMode })
  if (found === undefined)
    return { code: ResponseCode.topicNotExist, remark: `topic ${topic} does not exist here and may not be created` }
  if ((found.perm & Perm.write) === 0)
    return { code: ResponseCode.noPermission, remark: `topic ${topic} is not writable: its perm is ${found.perm}` }
  const queues = Math.max(found.readQueueNums, found.writeQueueNums)
  if (queueId >= queues)
    return {
      code: ResponseCode.systemError,
      remark: `queueId ${queueId} is out of range: ${topic} has ${queues} queues`,
    }
  if (body.length > settings.maxMessageSize) {
    return {
      code: ResponseCode.messageIllegal,
      remark: `the body has ${body.length} bytes, maxMessageSize is ${settings.maxMessageSize}`,
    }
  }
  return undefined
}
