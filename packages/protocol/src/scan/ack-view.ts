import { type Command, isOneway } from '../command.ts'
import { readFields, type Value } from '../request.ts'
import { ackMessage, changeMessageInvisibleTime } from '../requests/pop.ts'
import { FieldIndex } from './field-index.ts'
import type { HeaderScan } from './header-scan.ts'
import type { HotRequest } from './hot-request.ts'
import { fillHead, freshTextAt, intAt, longAt, nameAt, type RequestHead } from './view.ts'

/** An acknowledgement (200051), or a change of the invisible time (200053). One object is reused. */
export class AckView implements RequestHead {
  code = 0
  opaque = 0
  oneway = false
  version = 0
  form: 0 | 1 = 0
  consumerGroup = ''
  topic = ''
  queueId = 0
  extraInfo = ''
  offset = 0
  /** 0 of an acknowledgement. */
  invisibleTime = 0
}

type ChangeHeader = Value<typeof changeMessageInvisibleTime.header>
const members = Object.keys(changeMessageInvisibleTime.header) as (keyof ChangeHeader)[]
const slot = Object.fromEntries(members.map((name, index) => [name, index])) as Record<keyof ChangeHeader, number>
const names = new FieldIndex(members)

const changeCode = changeMessageInvisibleTime.code

function fillAck(view: AckView, scan: HeaderScan, form: 0 | 1): void {
  fillHead(view, scan)
  view.form = form
  view.consumerGroup = nameAt(scan, slot.consumerGroup, 'consumerGroup')
  view.topic = nameAt(scan, slot.topic, 'topic')
  view.queueId = intAt(scan, slot.queueId, 'queueId')
  view.extraInfo = freshTextAt(scan, slot.extraInfo, 'extraInfo')
  view.offset = longAt(scan, slot.offset, 'offset')
  view.invisibleTime = scan.code === changeCode ? longAt(scan, slot.invisibleTime, 'invisibleTime') : 0
}

function fillAckFromCommand(view: AckView, command: Command): void {
  const ack = readFields(ackMessage.header, command.extFields)
  const isChange = command.code === changeCode
  view.code = command.code
  view.opaque = command.opaque
  view.oneway = isOneway(command)
  view.version = command.version
  view.form = command.form
  view.consumerGroup = ack.consumerGroup
  view.topic = ack.topic
  view.queueId = ack.queueId
  view.extraInfo = ack.extraInfo
  view.offset = ack.offset
  view.invisibleTime = isChange ? readFields(changeMessageInvisibleTime.header, command.extFields).invisibleTime : 0
}

/** 200051, 200053. */
export const hotAck: HotRequest<AckView> = {
  fields: new Map([
    [ackMessage.code, names],
    [changeMessageInvisibleTime.code, names],
  ]),
  view: AckView,
  fill: fillAck,
  fillFromCommand: fillAckFromCommand,
}
