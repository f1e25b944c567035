import { parseJavaJson } from '../json/parse.ts'
import { printJavaJson } from '../json/print.ts'
import type { Codec } from '../request.ts'
import { type MessageQueue, messageQueueShape } from './message-queue.ts'
import { bean, integer, jsonBody, list, objectTable, string, table, type ValueOfShape } from './shape.ts'

const offsets = objectTable(messageQueueShape, integer())
const queueOffsetShape = bean({ topic: string, brokerName: string, queueId: integer(), offset: integer() })

/** Of the list form, and of the pairs that Go's reader knows. */
function readListItem(json: unknown): [MessageQueue, number] {
  if (Array.isArray(json)) return [messageQueueShape.read(json[0]), integer().read(json[1])]
  const { offset, ...queue } = queueOffsetShape.read(json)
  return [queue, offset]
}

const shape = bean({
  offsetTable: {
    read: (json: unknown) => (Array.isArray(json) ? new Map(json.map(readListItem)) : offsets.read(json)),
    write: offsets.write,
  },
})
export type ResetOffset = ValueOfShape<typeof shape>

/** Body of 220, reply body of 222: queue to its new offset. Reads the list form too. */
export const resetOffsetBody: Codec<ResetOffset> = jsonBody(shape)

/** Body of 220 for consumers in C++, which only read this form (remoting.md 13.3). */
export const resetOffsetListBody: Codec<ResetOffset> = {
  encode: ({ offsetTable }) => {
    const items = [...offsetTable].map(([queue, offset]) => ({ ...queue, offset }))
    return Buffer.from(printJavaJson({ offsetTable: list(queueOffsetShape).write(items) }))
  },
  decode: bytes => shape.read(parseJavaJson(bytes)),
}

const consumerStatusShape = bean({
  /** From one client: where it stands in its queues. */
  messageQueueTable: offsets,
  /** From the broker: the same by client id. */
  consumerTable: table(offsets),
})
export type ConsumerStatus = ValueOfShape<typeof consumerStatusShape>
/** Reply body of 221 and 223. */
export const consumerStatusBody = jsonBody(consumerStatusShape)
