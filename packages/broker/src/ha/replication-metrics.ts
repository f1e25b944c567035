import { own } from '../metrics/skua-families.ts'
import type { MetricSource, Samples } from '../metrics/source.ts'
import type { MasterLink } from './master-link.ts'
import type { SlaveProgress } from './slave-progress.ts'

/** Slaves of this broker, and the master of a slave. */
export const replicationMetrics = (parts: {
  readonly progress: Pick<SlaveProgress, 'count' | 'all'>
  readonly logEnd: () => number
  /** Of a slave. */
  readonly link: Pick<MasterLink, 'isConnected'> | undefined
}): MetricSource => ({
  *collect(into: Samples) {
    const { progress, logEnd, link } = parts
    yield into.sample(own.replicationSlaves, [], progress.count)
    const slaves = [...progress.all()]
    for (const { slave, position } of slaves)
      yield into.sample(own.replicationBehind, [slave], Math.max(0, logEnd() - position))
    for (const { slave, keepsUp } of slaves) yield into.sample(own.replicationKeepsUp, [slave], keepsUp ? 1 : 0)
    if (link !== undefined) yield into.sample(own.replicationMaster, [], link.isConnected ? 1 : 0)
  },
})
