import { dataVersionShape } from './data-version.ts'
import {
  bean,
  boolean,
  clientJson,
  integer,
  jsonBody,
  jsonFile,
  list,
  maybe,
  oneOfOr,
  slicedBody,
  string,
  table,
  type ValueOfShape,
} from './shape.ts'

/** A topic at a broker, with Java's defaults. */
export const topicConfigShape = bean({
  topicName: string,
  readQueueNums: integer(16),
  writeQueueNums: integer(16),
  /** Bits: read 4, write 2, inherit 1. */
  perm: integer(6),
  topicFilterType: oneOfOr('SINGLE_TAG', 'SINGLE_TAG', 'MULTI_TAG'),
  topicSysFlag: integer(),
  order: boolean(),
  attributes: maybe(table(string)),
})
export type TopicConfig = ValueOfShape<typeof topicConfigShape>
/** Reply body of 351. */
export const topicConfigBody = jsonBody(topicConfigShape)

/** Body of 18: attributes are changes in it, with their sign before the name. */
export const topicConfigListBody = jsonBody(bean({ topicConfigList: list(topicConfigShape) }), undefined, clientJson)

export const topicConfigTableShape = bean({
  dataVersion: dataVersionShape,
  topicConfigTable: table(topicConfigShape),
})
/** Java's TopicConfigSerializeWrapper. */
export type TopicConfigTable = ValueOfShape<typeof topicConfigTableShape>
/** Reply body of 21. */
export const topicConfigTableBody = slicedBody(topicConfigTableShape)
/** topics.json */
export const topicConfigTableFile = jsonFile(topicConfigTableShape)
