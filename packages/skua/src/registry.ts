import { type BrokerConfig, EtcdRegistry, endpointsOf, type Registry } from '@skua-mq/broker'
import { postJson } from '@skua-mq/runtime'

/** Where brokers of one name choose their master (failoverEndpoints); undefined where a person does. */
export function registryOf(config: BrokerConfig): Registry | undefined {
  const { failoverEndpoints, failoverPrefix, failoverLeaseTime, brokerClusterName, brokerName } = config
  if (failoverEndpoints === '') return undefined
  // Two requests of a round, and another endpoint for one of them, in the time that a lease leaves.
  const timeoutMs = Math.min(1000, failoverLeaseTime / 4)
  return new EtcdRegistry({
    endpoints: endpointsOf(failoverEndpoints),
    prefix: `${failoverPrefix}/${brokerClusterName}/${brokerName}/`,
    post: (url, body) => postJson(url, body, { timeoutMs }),
  })
}
