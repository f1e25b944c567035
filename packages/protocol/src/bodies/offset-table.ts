import { dataVersionShape } from './data-version.ts'
import { messageQueueShape } from './message-queue.ts'
import {
  bean,
  bigLong,
  integer,
  integerTable,
  jsonBody,
  jsonFile,
  maybe,
  objectTable,
  slicedBody,
  string,
  table,
  type ValueOfShape,
} from './shape.ts'

const consumerOffsetShape = bean({
  dataVersion: maybe(dataVersionShape),
  /** `topic@group` to queue id to the next offset. */
  offsetTable: table(integerTable(integer())),
})
export type ConsumerOffsetTable = ValueOfShape<typeof consumerOffsetShape>
/** Reply body of 43. */
export const consumerOffsetBody = slicedBody(consumerOffsetShape)
/** consumerOffset.json */
export const consumerOffsetFile = jsonFile(consumerOffsetShape)

const delayOffsetShape = bean({
  dataVersion: maybe(dataVersionShape),
  /** Delay level to the next offset. */
  offsetTable: integerTable(integer()),
})
export type DelayOffsetTable = ValueOfShape<typeof delayOffsetShape>
/** Reply body of 45. */
export const delayOffsetBody = jsonBody(delayOffsetShape)
/** delayOffset.json */
export const delayOffsetFile = jsonFile(delayOffsetShape)

const localOffsetShape = bean({ offsetTable: objectTable(messageQueueShape, integer()) })
export type LocalOffsetTable = ValueOfShape<typeof localOffsetShape>
/** The offset file of a broadcasting consumer. */
export const localOffsetFile = jsonFile(localOffsetShape)

/** Reply body of 308: queue id to offset; Long.MAX_VALUE for none. */
export const correctionOffsetBody = slicedBody(bean({ correctionOffsets: integerTable(bigLong) }))

const offsetMovedShape = bean({
  consumerGroup: string,
  messageQueue: messageQueueShape,
  offsetRequest: integer(),
  offsetNew: integer(),
})
export type OffsetMovedEvent = ValueOfShape<typeof offsetMovedShape>
/** Body of a message in OFFSET_MOVED_EVENT. */
export const offsetMovedBody = jsonBody(offsetMovedShape)
