import { dataVersionShape } from './data-version.ts'
import { bean, integer, jsonBody, jsonFile, maybe, table, type ValueOfShape } from './shape.ts'

const timerCountsShape = bean({
  dataVersion: maybe(dataVersionShape),
  /** Topic to how many messages wait for it. */
  timingCount: table(bean({ count: integer(), timeStamp: integer() })),
})
/** How many messages with a time of delivery wait for each topic. */
export type TimerCounts = ValueOfShape<typeof timerCountsShape>
/** Reply body of 61. */
export const timerCountsBody = jsonBody(timerCountsShape)
/** timermetrics */
export const timerCountsFile = jsonFile(timerCountsShape)
