import { defaultLimits } from '@skua-mq/remoting'
import { defineEvent } from '@skua-mq/runtime'

/** Descriptors that neither files of the log and its queues nor clients take: listeners, tables, slaves, name servers, Node's own. */
export const descriptorReserve = 64
/** What a store needs to work at all, and with how few clients a broker is of use. */
const leastFiles = 16
const leastConnections = 16
/** Where fewer are possible the start says so, whoever asked for them. */
const manyConnections = 10_000

export const descriptorsShared = defineEvent<{ limit: number; maxOpenFiles: number; maxConnections: number }>(
  'the limit of open files (ulimit -n) bounds files and connections',
  'warn',
)

/** Whoever connects to the port of the slaves and reports nothing is out of the reserve, and so are those that wait to be accepted there. */
const crowdPart = 64
const leastCrowd = 4

export interface Descriptors {
  /** Files that the store keeps open. */
  readonly maxOpenFiles: number
  readonly maxConnections: number
  /** Connections to the port of the slaves that have not reported; more are possible where there are descriptors enough. */
  readonly slaveCrowd: number
  /** Less than the configuration asks for. */
  readonly isShared: boolean
}

/**
 * What the store and the connections may have of the descriptors of the process: connections get what the files leave, and
 * files no more than half where there are few. Without this, either takes the last one, and the other stands still.
 */
export function shareDescriptors(wish: {
  readonly limit: number | undefined
  readonly maxOpenFiles: number
  readonly maxConnections: number
  /** What other servers of the process may have. */
  readonly others?: number | undefined
}): Descriptors {
  const { limit, maxOpenFiles, maxConnections, others = 0 } = wish
  if (limit === undefined)
    return { maxOpenFiles, maxConnections, slaveCrowd: Number.POSITIVE_INFINITY, isShared: false }
  const room = limit - others - Math.min(descriptorReserve, Math.floor(limit / 3))
  const slaveCrowd = Math.max(leastCrowd, Math.floor(limit / crowdPart))
  const files = Math.min(maxOpenFiles, Math.max(leastFiles, Math.floor(room / 2)))
  const connections = Math.min(maxConnections, Math.max(leastConnections, room - files))
  // The default of 50,000 connections says "as many as can be": that is no promise which is broken.
  const isShared =
    files < maxOpenFiles ||
    connections < (maxConnections === defaultLimits.maxConnections ? manyConnections : maxConnections)
  return { maxOpenFiles: files, maxConnections: connections, slaveCrowd, isShared }
}
