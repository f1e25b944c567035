import { type Command, isOneway } from '../command.ts'
import { readFields, type Value } from '../request.ts'
import { pullMessage } from '../requests/pull.ts'
import { FieldIndex } from './field-index.ts'
import type { HeaderScan } from './header-scan.ts'
import type { HotRequest } from './hot-request.ts'
import { fillHead, intAt, intOr, longAt, nameAt, optionalTextAt, type RequestHead, versionAt } from './view.ts'

/** A pull request (11, 361). One object is reused: it is valid until the handler returns; what is held is copied. */
export class PullView implements RequestHead {
  code = 0
  opaque = 0
  oneway = false
  version = 0
  form: 0 | 1 = 0
  consumerGroup = ''
  topic = ''
  queueId = 0
  queueOffset = 0
  maxMsgNums = 0
  sysFlag = 0
  commitOffset = 0
  suspendTimeoutMillis = 0
  subVersion = 0
  subscription: string | undefined = undefined
  expressionType: string | undefined = undefined
  /** -1 where the sender left it out. */
  maxMsgBytes = -1

  /** A copy that outlives the handler, for a pull that is held. */
  copy(): PullView {
    return Object.assign(new PullView(), this)
  }
}

type PullHeader = Value<typeof pullMessage.header>
const members = Object.keys(pullMessage.header) as (keyof PullHeader)[]
const slot = Object.fromEntries(members.map((name, index) => [name, index])) as Record<keyof PullHeader, number>
const names = new FieldIndex(members)

function fillPull(view: PullView, scan: HeaderScan, form: 0 | 1): void {
  fillHead(view, scan)
  view.form = form
  view.consumerGroup = nameAt(scan, slot.consumerGroup, 'consumerGroup')
  view.topic = nameAt(scan, slot.topic, 'topic')
  view.queueId = intAt(scan, slot.queueId, 'queueId')
  view.queueOffset = longAt(scan, slot.queueOffset, 'queueOffset')
  view.maxMsgNums = intAt(scan, slot.maxMsgNums, 'maxMsgNums')
  view.sysFlag = intAt(scan, slot.sysFlag, 'sysFlag')
  view.commitOffset = longAt(scan, slot.commitOffset, 'commitOffset')
  view.suspendTimeoutMillis = longAt(scan, slot.suspendTimeoutMillis, 'suspendTimeoutMillis')
  view.subVersion = versionAt(scan, slot.subVersion, 'subVersion')
  view.subscription = optionalTextAt(scan, slot.subscription, 'subscription')
  view.expressionType = optionalTextAt(scan, slot.expressionType, 'expressionType')
  view.maxMsgBytes = intOr(scan, slot.maxMsgBytes, 'maxMsgBytes', -1)
}

function fillPullFromCommand(view: PullView, command: Command): void {
  const header = readFields(pullMessage.header, command.extFields)
  view.code = command.code
  view.opaque = command.opaque
  view.oneway = isOneway(command)
  view.version = command.version
  view.form = command.form
  view.consumerGroup = header.consumerGroup
  view.topic = header.topic
  view.queueId = header.queueId
  view.queueOffset = header.queueOffset
  view.maxMsgNums = header.maxMsgNums
  view.sysFlag = header.sysFlag
  view.commitOffset = header.commitOffset
  view.suspendTimeoutMillis = header.suspendTimeoutMillis
  view.subVersion = header.subVersion
  view.subscription = header.subscription
  view.expressionType = header.expressionType
  view.maxMsgBytes = header.maxMsgBytes ?? -1
}

/** 11, 361. */
export const hotPull: HotRequest<PullView> = {
  fields: new Map([
    [11, names],
    [361, names],
  ]),
  view: PullView,
  fill: fillPull,
  fillFromCommand: fillPullFromCommand,
}
