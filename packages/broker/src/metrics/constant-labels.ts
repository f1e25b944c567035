/** What all samples of a broker carry: RocketMQ's three labels, and those of `metricsLabel` (`name:value`, joined by commas). */
export function constantLabels(config: {
  readonly brokerClusterName: string
  readonly brokerName: string
  readonly metricsLabel: string
}): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {}
  for (const pair of config.metricsLabel.split(',')) {
    const [name = '', value, more] = pair.split(':')
    // As in Java: a pair that is none is passed over.
    if (name.trim() !== '' && value !== undefined && more === undefined) labels[legalName(name.trim())] = value.trim()
  }
  return { ...labels, cluster: config.brokerClusterName, node_id: config.brokerName, node_type: 'broker' }
}

/** As OpenTelemetry writes a label's name for Prometheus. */
const legalName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^\d/, '_$&')
