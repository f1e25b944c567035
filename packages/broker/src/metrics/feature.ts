import { type Address, part } from '@skua-mq/runtime'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { brokerMetrics } from './broker-metrics.ts'
import { constantLabels } from './constant-labels.ts'
import { Exporter } from './exporter.ts'
import { LoopLag } from './loop-lag.ts'
import { processMetrics } from './process-metrics.ts'
import { RpcLatency } from './rpc-latency.ts'
import { BrokerStanding } from './standing.ts'
import { StoreMetrics } from './store-metrics.ts'

type Needs = On<'config' | 'runtime' | 'store' | 'facts' | 'brokerAddr' | 'furniture' | 'measures'> & {
  isRegistered: () => boolean
}

/** Where metrics are told; undefined where they are not. */
export interface MetricsAt {
  readonly metricsAt: () => Address | undefined
}

/**
 * Metrics for Prometheus, and whether the broker is well, over HTTP (docs/metrics.md). Where it is off nothing is
 * counted, nothing runs and no module of HTTP is loaded. It is the last feature: what it tells are figures of the others.
 */
export const metrics: Feature<Needs, MetricsAt> = {
  name: 'metrics',
  make: needs => {
    if (!needs.measures) return { gives: { metricsAt: () => undefined } }
    const { config, runtime, store, facts, furniture } = needs
    const { clock, disk } = runtime
    const standing = new BrokerStanding(needs)
    const exporter = exporterOf(needs, standing)
    const latency = new RpcLatency()
    const lag = new LoopLag(clock)
    return {
      gives: { metricsAt: () => exporter.address },
      observer: latency,
      around: [exporter, lag],
      services: [part('scrapes', { start: () => exporter.open(), stop: () => exporter.close() })],
      presence: [phases(standing)],
      metrics: [
        ...[brokerMetrics({ config, furniture }), latency, lag, processMetrics(facts)],
        new StoreMetrics({ clock, disk, store, root: config.storePathRootDir }),
      ],
    }
  },
}

function exporterOf({ config, runtime, brokerAddr, furniture }: Needs, standing: BrokerStanding): Exporter {
  // As in Java: where clients are told that the broker is.
  const host = config.metricsPromExporterHost || brokerAddr.slice(0, brokerAddr.lastIndexOf(':'))
  return new Exporter({
    ...{ ...runtime, standing, sources: furniture.metrics },
    listen: { host, port: config.metricsPromExporterPort },
    exposition: { labels: constantLabels(config), limit: config.metricsOtelCardinalityLimit },
  })
}

/** Begins when everything else has begun, and ends before anything else does. */
const phases = (standing: BrokerStanding) =>
  part('readiness', {
    start: () => {
      standing.phase = 'serving'
    },
    stop: () => {
      standing.phase = 'stopping'
    },
  })
