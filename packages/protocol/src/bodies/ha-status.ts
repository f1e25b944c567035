import { bean, boolean, integer, jsonBody, list, string, type ValueOfShape } from './shape.ts'

/** A slave as its master sees it; offsets of the log, bytes. */
const slaveShape = bean({
  /** host:port of its connection. */
  addr: string,
  slaveAckOffset: integer(),
  diff: integer(),
  inSync: boolean(),
  transferredByteInSecond: integer(),
  transferFromWhere: integer(),
})

/** A slave as it sees itself; times are of the wall clock, in ms, 0 for never. */
const followingShape = bean({
  /** host:port of the master's HA listener. */
  masterAddr: string,
  transferredByteInSecond: integer(),
  maxOffset: integer(),
  lastReadTimestamp: integer(),
  lastWriteTimestamp: integer(),
  masterFlushOffset: integer(),
  activated: boolean(),
})

const haStatusShape = bean({
  master: boolean(),
  masterCommitLogMaxOffset: integer(),
  inSyncSlaveNums: integer(),
  haConnectionInfo: list(slaveShape),
  haClientRuntimeInfo: followingShape,
})
/** Java's HARuntimeInfo: of a master the slaves count, of a slave the last member. */
export type HaStatus = ValueOfShape<typeof haStatusShape>
/** Reply body of 907. */
export const haStatusBody = jsonBody(haStatusShape)
