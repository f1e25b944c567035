import type { Furniture } from '../house/house.ts'
import { rocketmq } from './rocketmq-families.ts'
import { own } from './skua-families.ts'
import type { MetricSource, Samples } from './source.ts'

/** Java's thread pools, whose queues boards look at. */
const processors = [
  ...['ack', 'admin', 'async_put', 'client_manager', 'consumer_manager', 'heartbeat', 'lite_pull', 'pull'],
  ...['query_message', 'reply', 'send', 'transaction'],
]

/** The broker as a whole. */
export const brokerMetrics = (parts: {
  readonly config: { readonly brokerPermission: number }
  readonly furniture: Pick<Furniture, 'gauge'>
}): MetricSource => ({
  *collect(into: Samples) {
    const { config, furniture } = parts
    yield into.sample(rocketmq.brokerPermission, [], config.brokerPermission)
    for (const processor of processors) yield into.sample(rocketmq.processorWatermark, [processor], 0)
    yield into.sample(own.connections, [], furniture.gauge('connections'))
    yield into.sample(own.heldPulls, [], furniture.gauge('heldPulls'))
  },
})
