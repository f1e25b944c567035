import {
  PropertyName,
  parseAddress as parseIp,
  printProperties,
  sendMessageV2,
  templateTopic,
  UniqueIds,
} from '@skua-mq/protocol'
import { NodeProcessFacts } from '@skua-mq/runtime'
import { masterNamed } from '../cluster.ts'
import { AdminError } from '../error.ts'
import type { AdminSession } from '../session.ts'
import { topicRoute } from '../topic/route.ts'

/** A message for `sendMessage`. */
export interface NewMessage {
  readonly topic: string
  readonly body: Uint8Array
  readonly keys?: string | undefined
  readonly tags?: string | undefined
  readonly properties?: Readonly<Record<string, string>> | undefined
  /** Default: the brokers of the topic, one after another. */
  readonly brokerName?: string | undefined
  /** Default: chosen by the broker. */
  readonly queueId?: number | undefined
}

/** Where a message was put. */
export interface SentMessage {
  /** SEND_OK, or what was not reached: FLUSH_DISK_TIMEOUT, FLUSH_SLAVE_TIMEOUT, SLAVE_NOT_AVAILABLE. */
  readonly sendStatus: string
  readonly msgId: string
  readonly offsetMsgId: string
  readonly brokerName: string
  readonly queueId: number
  readonly queueOffset: number
  /** From the request to its answer, ms. */
  readonly costMs: number
}

const statusOf: Readonly<Record<number, string>> = {
  0: 'SEND_OK',
  10: 'FLUSH_DISK_TIMEOUT',
  11: 'SLAVE_NOT_AVAILABLE',
  12: 'FLUSH_SLAVE_TIMEOUT',
}

/** Sends one message, without a second try. A dry run gives undefined. Errors: NOT_FOUND; REFUSED; NETWORK. */
export async function sendMessage(session: AdminSession, message: NewMessage): Promise<SentMessage | undefined> {
  const brokerName = message.brokerName ?? (await writableBroker(session, message.topic))
  const { address } = await masterNamed(session, brokerName)
  return sendTo(session, address, { ...message, brokerName })
}

/** As `sendMessage`, to a known address: for measurements, which are not to look it up each time. */
export async function sendTo(
  session: AdminSession,
  address: string,
  message: NewMessage & { readonly brokerName: string },
): Promise<SentMessage | undefined> {
  const { clock } = session.runtime
  const msgId = idsOf(session).next(clock.now())
  const header = {
    producerGroup: 'TOOLS_PRODUCER',
    topic: message.topic,
    defaultTopic: templateTopic,
    defaultTopicQueueNums: 4,
    queueId: message.queueId ?? -1,
    sysFlag: 0,
    bornTimestamp: clock.now(),
    flag: 0,
    properties: propertiesOf(message, msgId),
    reconsumeTimes: 0,
    unitMode: false,
    batch: false,
    bname: message.brokerName,
  }
  const begun = clock.monotonic()
  const allow = Object.keys(statusOf).map(Number)
  const reply = await session.write(address, { spec: sendMessageV2, header, bytes: message.body, allow })
  if (reply === undefined) return undefined
  const costMs = clock.monotonic() - begun
  const { msgId: offsetMsgId, queueId, queueOffset } = reply.header
  const sendStatus = statusOf[reply.code]!
  return { sendStatus, msgId, offsetMsgId, brokerName: message.brokerName, queueId, queueOffset, costMs }
}

function propertiesOf({ keys, tags, properties = {} }: NewMessage, msgId: string): string {
  const all = new Map(Object.entries(properties))
  if (keys !== undefined) all.set(PropertyName.keys, keys)
  if (tags !== undefined) all.set(PropertyName.tags, tags)
  all.set(PropertyName.uniqueKey, msgId)
  all.set(PropertyName.waitStoreMsgOk, 'true')
  return printProperties(all)
}

/** Any broker that may be written. Errors: NOT_FOUND. */
async function writableBroker(session: AdminSession, topic: string): Promise<string> {
  const { queues } = await topicRoute(session, topic)
  const writable = queues.filter(({ perm, writeQueueNums }) => (perm & 2) !== 0 && writeQueueNums > 0)
  const [chosen] = writable.slice(session.runtime.random.int(Math.max(1, writable.length)))
  if (chosen !== undefined) return chosen.brokerName
  throw new AdminError('NOT_FOUND', `topic ${topic} has no queue that may be written: look at its permission`)
}

const generators = new WeakMap<AdminSession, UniqueIds>()

function idsOf(session: AdminSession): UniqueIds {
  const { net, random } = session.runtime
  const made =
    generators.get(session) ??
    new UniqueIds({
      ip: parseIp(net.ownAddresses()[0] ?? '127.0.0.1') ?? Uint8Array.of(127, 0, 0, 1),
      pid: new NodeProcessFacts().pid,
      instance: random.int(0x7fff_ffff),
      counter: random.int(0x1_0000),
    })
  generators.set(session, made)
  return made
}
