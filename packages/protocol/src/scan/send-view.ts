import type { Command } from '../command.ts'
import { isOneway } from '../command.ts'
import { HeaderError, readFields, type Value } from '../request.ts'
import { sendMessage, sendMessageV2 } from '../requests/send.ts'
import { FieldIndex } from './field-index.ts'
import type { HeaderScan } from './header-scan.ts'
import type { HotRequest } from './hot-request.ts'
import { scratch, unescapeInto } from './unescape.ts'
import { boolAt, fillHead, intAt, intOr, longAt, nameAt, type RequestHead } from './view.ts'

const none = Buffer.alloc(0)

/**
 * A send request (10, 310, 320) where it stands in the read buffer. One object is reused for all of them: it is valid
 * until the handler returns.
 */
export class SendView implements RequestHead {
  code = 0
  opaque = 0
  oneway = false
  version = 0
  form: 0 | 1 = 0
  producerGroup = ''
  topic = ''
  defaultTopic = ''
  defaultTopicQueueNums = 0
  queueId = 0
  sysFlag = 0
  bornTimestamp = 0
  flag = 0
  reconsumeTimes = 0
  /** -1 where the sender left it out. */
  maxReconsumeTimes = -1
  unitMode = false
  batch = false
  /** Properties in their stored form: `bytes[start, end)`. */
  properties: Buffer = none
  propertiesStart = 0
  propertiesEnd = 0
  body: Buffer = none
  bodyStart = 0
  bodyEnd = 0
}

type SendHeader = Value<typeof sendMessage.header>
const members = Object.keys(sendMessage.header) as (keyof SendHeader)[]
const slot = Object.fromEntries(members.map((name, index) => [name, index])) as Record<keyof SendHeader, number>
const wireNames = (spec: typeof sendMessage | typeof sendMessageV2) =>
  members.map(name => (spec.header[name] as { wire?: string }).wire ?? name)

const longNames = new FieldIndex(wireNames(sendMessage))
const shortNames = new FieldIndex(wireNames(sendMessageV2))

function fillSend(view: SendView, scan: HeaderScan, form: 0 | 1): void {
  fillHead(view, scan)
  view.form = form
  view.producerGroup = nameAt(scan, slot.producerGroup, 'producerGroup')
  view.topic = nameAt(scan, slot.topic, 'topic')
  view.defaultTopic = nameAt(scan, slot.defaultTopic, 'defaultTopic')
  view.defaultTopicQueueNums = intAt(scan, slot.defaultTopicQueueNums, 'defaultTopicQueueNums')
  view.queueId = intAt(scan, slot.queueId, 'queueId')
  view.sysFlag = intAt(scan, slot.sysFlag, 'sysFlag')
  view.bornTimestamp = longAt(scan, slot.bornTimestamp, 'bornTimestamp')
  view.flag = intAt(scan, slot.flag, 'flag')
  view.reconsumeTimes = intOr(scan, slot.reconsumeTimes, 'reconsumeTimes', 0)
  view.maxReconsumeTimes = intOr(scan, slot.maxReconsumeTimes, 'maxReconsumeTimes', -1)
  view.unitMode = boolAt(scan, slot.unitMode)
  view.batch = boolAt(scan, slot.batch)
  const start = scan.starts[slot.properties] as number
  if (start < 0) {
    view.properties = none
    view.propertiesStart = 0
    view.propertiesEnd = 0
  } else if (scan.escaped[slot.properties] === 1) {
    const end = scan.ends[slot.properties] as number
    const length = unescapeInto(scan.bytes, start, end)
    if (length < 0 && end - start <= scratch.length) throw new HeaderError('properties', 'holds an unknown escape')
    // An escape has six bytes at most: what is too long for the scratch is too long for a message, escaped or not.
    view.properties = length < 0 ? scan.bytes : scratch
    view.propertiesStart = length < 0 ? start : 0
    view.propertiesEnd = length < 0 ? end : length
  } else {
    view.properties = scan.bytes
    view.propertiesStart = start
    view.propertiesEnd = scan.ends[slot.properties] as number
  }
  view.body = scan.bytes
  view.bodyStart = scan.bodyStart
  view.bodyEnd = scan.bodyEnd
}

function fillSendFromCommand(view: SendView, command: Command): void {
  const spec = command.code === 10 ? sendMessage : sendMessageV2
  const header = readFields(spec.header as typeof sendMessage.header, command.extFields)
  view.code = command.code
  view.opaque = command.opaque
  view.oneway = isOneway(command)
  view.version = command.version
  view.form = command.form
  view.producerGroup = header.producerGroup
  view.topic = header.topic
  view.defaultTopic = header.defaultTopic
  view.defaultTopicQueueNums = header.defaultTopicQueueNums
  view.queueId = header.queueId
  view.sysFlag = header.sysFlag
  view.bornTimestamp = header.bornTimestamp
  view.flag = header.flag
  view.reconsumeTimes = header.reconsumeTimes ?? 0
  view.maxReconsumeTimes = header.maxReconsumeTimes ?? -1
  view.unitMode = header.unitMode
  view.batch = header.batch
  view.properties = Buffer.from(header.properties ?? '')
  view.propertiesStart = 0
  view.propertiesEnd = view.properties.length
  const body = command.body ?? none
  view.body = Buffer.from(body.buffer, body.byteOffset, body.length)
  view.bodyStart = 0
  view.bodyEnd = body.length
}

/** 10, 310, 320. */
export const hotSend: HotRequest<SendView> = {
  fields: new Map([
    [10, longNames],
    [310, shortNames],
    [320, shortNames],
  ]),
  view: SendView,
  fill: fillSend,
  fillFromCommand: fillSendFromCommand,
}
