import { type Command, isOneway } from '../command.ts'
import { readFields, type Value } from '../request.ts'
import { notification, popMessage } from '../requests/pop.ts'
import { FieldIndex } from './field-index.ts'
import type { HeaderScan } from './header-scan.ts'
import type { HotRequest } from './hot-request.ts'
import { boolAt, fillHead, freshTextAt, intAt, longAt, nameAt, optionalTextAt, type RequestHead } from './view.ts'

/** A pop (200050), or who waits for one (200054). One object is reused: what outlives the handler is copied. */
export class PopView implements RequestHead {
  code = 0
  opaque = 0
  oneway = false
  version = 0
  form: 0 | 1 = 0
  consumerGroup = ''
  topic = ''
  queueId = 0
  /** 0 of who only waits, and so are the next, initMode and expressions. */
  maxMsgNums = 0
  invisibleTime = 0
  pollTime = 0
  /** 0 where the sender left it out. */
  bornTime = 0
  initMode = 0
  expType: string | undefined = undefined
  exp: string | undefined = undefined
  order = false
  attemptId: string | undefined = undefined

  /** A copy that outlives the handler. */
  copy(): PopView {
    return Object.assign(new PopView(), this)
  }
}

type PopHeader = Value<typeof popMessage.header>
const members = Object.keys(popMessage.header) as (keyof PopHeader)[]
const slot = Object.fromEntries(members.map((name, index) => [name, index])) as Record<keyof PopHeader, number>
const names = new FieldIndex(members)

const popCode = popMessage.code

function fillPop(view: PopView, scan: HeaderScan, form: 0 | 1): void {
  fillHead(view, scan)
  const isPop = scan.code === popCode
  view.form = form
  view.consumerGroup = nameAt(scan, slot.consumerGroup, 'consumerGroup')
  view.topic = nameAt(scan, slot.topic, 'topic')
  view.queueId = intAt(scan, slot.queueId, 'queueId')
  view.maxMsgNums = isPop ? intAt(scan, slot.maxMsgNums, 'maxMsgNums') : 0
  view.invisibleTime = isPop ? longAt(scan, slot.invisibleTime, 'invisibleTime') : 0
  view.pollTime = longAt(scan, slot.pollTime, 'pollTime')
  view.bornTime = (scan.starts[slot.bornTime] as number) < 0 ? 0 : longAt(scan, slot.bornTime, 'bornTime')
  view.initMode = isPop ? intAt(scan, slot.initMode, 'initMode') : 0
  view.expType = isPop ? optionalTextAt(scan, slot.expType, 'expType') : undefined
  view.exp = isPop ? optionalTextAt(scan, slot.exp, 'exp') : undefined
  view.order = boolAt(scan, slot.order)
  const hasAttempt = (scan.starts[slot.attemptId] as number) >= 0
  view.attemptId = hasAttempt ? freshTextAt(scan, slot.attemptId, 'attemptId') : undefined
}

function fillPopFromCommand(view: PopView, command: Command): void {
  const isPop = command.code === popCode
  const waits = readFields(notification.header, command.extFields)
  const pop = isPop ? readFields(popMessage.header, command.extFields) : undefined
  view.code = command.code
  view.opaque = command.opaque
  view.oneway = isOneway(command)
  view.version = command.version
  view.form = command.form
  view.consumerGroup = waits.consumerGroup
  view.topic = waits.topic
  view.queueId = waits.queueId
  view.maxMsgNums = pop?.maxMsgNums ?? 0
  view.invisibleTime = pop?.invisibleTime ?? 0
  view.pollTime = waits.pollTime
  view.bornTime = waits.bornTime
  view.initMode = pop?.initMode ?? 0
  view.expType = pop?.expType
  view.exp = pop?.exp
  view.order = waits.order
  view.attemptId = waits.attemptId
}

/** 200050, 200054. */
export const hotPop: HotRequest<PopView> = {
  fields: new Map([
    [popMessage.code, names],
    [notification.code, names],
  ]),
  view: PopView,
  fill: fillPop,
  fillFromCommand: fillPopFromCommand,
}
