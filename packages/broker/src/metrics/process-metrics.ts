import type { ProcessFacts } from '@skua-mq/runtime'
import { own } from './skua-families.ts'
import type { MetricSource, Samples } from './source.ts'

/** What the process takes of the machine; nothing where it is not told. */
export const processMetrics = ({ use }: Pick<ProcessFacts, 'use'>): MetricSource => ({
  *collect(into: Samples) {
    const now = use?.()
    if (now === undefined) return
    yield into.sample(own.residentBytes, [], now.residentBytes)
    yield into.sample(own.heapBytes, [], now.heapBytes)
    yield into.sample(own.externalBytes, [], now.externalBytes)
    yield into.sample(own.cpuSeconds, [], now.cpuSeconds)
  },
})
