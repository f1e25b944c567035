import type { Histogram } from '@skua-mq/runtime'
import type { Family } from './family.ts'

/** Where a source writes to. Values stand in the order of the family's labels. */
export interface Samples {
  sample(family: Family, labels: readonly string[], value: number): void
  histogram(family: Family, labels: readonly string[], histogram: Histogram): void
}

/**
 * Figures of one subject. Plain fields are counted all the time; they become texts here, when somebody asks. `collect`
 * writes the families one after another, and yields after each sample: whoever writes down a long table goes on in
 * another turn of the loop. It may be left in the middle.
 */
export interface MetricSource {
  collect(into: Samples): Iterable<void> | AsyncIterable<void>
}

/** A figure without labels of its own. */
export const figure = (family: Family, value: () => number): MetricSource => ({
  *collect(into) {
    yield into.sample(family, [], value())
  },
})

/** In place of the labels of those that are counted together, once there are as many as `metricsOtelCardinalityLimit`. */
export const overflow: readonly string[] = ['true']

/** As OpenTelemetry names that series. */
export const overflowLabel = 'otel_metric_overflow'
