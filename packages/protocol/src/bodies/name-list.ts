import { bean, jsonBody, list, maybe, string, table, type ValueOfShape } from './shape.ts'
import { slicesOf } from './slices.ts'

const topicListShape = bean({ topicList: list(string), brokerAddr: maybe(string) })
export type TopicList = ValueOfShape<typeof topicListShape>
/** Reply body of 206, 224, 304, 305, 311, 312, 313 and 343. */
export const topicListBody = jsonBody(topicListShape)

/** The same bytes of topics alone, which are read as they are written, a slice at a time. */
export const topicListSlices = (topics: Iterable<string>): Generator<Buffer> =>
  slicesOf(topicListShape, { topicList: { [Symbol.iterator]: () => topics[Symbol.iterator]() } as string[] }, {})

/** Reply body of 300. */
export const groupListBody = jsonBody(bean({ groupList: list(string) }))

/** Reply body of 28, 219 and 103. */
export const kvTableBody = jsonBody(bean({ table: table(string) }))
