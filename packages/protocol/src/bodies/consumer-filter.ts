import { bean, boolean, intArray, integer, jsonFile, maybe, string, table, type ValueOfShape } from './shape.ts'

const filterDataShape = bean({
  bloomFilterData: maybe(bean({ bitNum: integer(), bitPos: intArray })),
  bornTime: integer(),
  clientVersion: integer(),
  consumerGroup: string,
  /** deadTime ≥ bornTime. */
  dead: boolean(),
  deadTime: integer(),
  expression: string,
  expressionType: string,
  topic: string,
})
export type ConsumerFilterData = ValueOfShape<typeof filterDataShape>

const shape = bean({
  filterDataByTopic: table(bean({ groupFilterData: table(filterDataShape), topic: string })),
})
export type ConsumerFilterTable = ValueOfShape<typeof shape>
/** consumerFilter.json: the SQL92 subscriptions (store.md 5.3). */
export const consumerFilterFile = jsonFile(shape)
