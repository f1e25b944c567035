import type { BrokerConfig } from './options.ts'

/** What each value may be by itself and all of them together not. */
export interface Impossible {
  /** The key to look at first. */
  readonly key: keyof BrokerConfig
  readonly remark: string
}

/** The first thing in a configuration that cannot work. */
export function impossibleIn(config: BrokerConfig): Impossible | undefined {
  return slaveWithoutNumber(config) ?? portsOf(config) ?? failoverOf(config)
}

function slaveWithoutNumber({ brokerRole, brokerId }: BrokerConfig): Impossible | undefined {
  if (brokerRole !== 'SLAVE' || brokerId > 0) return undefined
  return {
    key: 'brokerId',
    remark: `brokerRole=SLAVE: brokerId=${brokerId} is that of a master, a slave has one above 0`,
  }
}

/** failoverEndpoints: http://host:port, several with commas, and with or without a slash at the end. */
export const endpointsOf = (text: string): string[] =>
  text
    .split(',')
    .map(endpoint => endpoint.trim().replace(/\/$/, ''))
    .filter(endpoint => endpoint !== '')

function failoverOf(config: BrokerConfig): Impossible | undefined {
  const { failoverEndpoints, failoverLeaseTime, failoverMarginTime } = config
  const endpoints = endpointsOf(failoverEndpoints)
  const wrong = endpoints.find(endpoint => !/^https?:\/\/[^/@\s]+$/.test(endpoint))
  if (wrong !== undefined) {
    // What may be a password is not said again.
    const remark = wrong.includes('@')
      ? 'failoverEndpoints must be http://host:port or https://host:port without a user: that is failoverUser and failoverPasswordFile'
      : `failoverEndpoints=${wrong} must be http://host:port or https://host:port`
    return { key: 'failoverEndpoints', remark }
  }
  const remark = `failoverMarginTime=${failoverMarginTime} must be below half of failoverLeaseTime=${failoverLeaseTime}`
  if (failoverMarginTime >= failoverLeaseTime / 2) return { key: 'failoverMarginTime', remark }
  return halfOf(config, 'failoverUser', 'failoverPasswordFile') ?? failoverTlsOf(config, endpoints)
}

type FailoverKey = `failover${'User' | 'PasswordFile' | 'CertFile' | 'KeyFile'}`

function halfOf(config: BrokerConfig, one: FailoverKey, other: FailoverKey): Impossible | undefined {
  if ((config[one] === '') === (config[other] === '')) return undefined
  const [key, missing] = config[one] === '' ? [other, one] : [one, other]
  return { key, remark: `${one} and ${other} belong together: ${missing} is missing` }
}

function failoverTlsOf(config: BrokerConfig, endpoints: readonly string[]): Impossible | undefined {
  const half = halfOf(config, 'failoverCertFile', 'failoverKeyFile')
  if (half !== undefined) return half
  const key = (['failoverCaFile', 'failoverCertFile'] as const).find(each => config[each] !== '')
  const plain = endpoints.find(endpoint => endpoint.startsWith('http:'))
  if (key === undefined || plain === undefined) return undefined
  return { key, remark: `${key} is for https://host:port, and ${plain} of failoverEndpoints is not encrypted` }
}

/** A broker listens on three ports, and on a fourth where it tells metrics. */
function portsOf(config: BrokerConfig): Impossible | undefined {
  const { listenPort, metricsExporterType, metricsPromExporterPort: metrics } = config
  if (listenPort < 3 || listenPort > 65_534) {
    const remark = `listenPort=${listenPort} must be from 3 to 65534: the broker also listens on that minus 2 and plus 1`
    return { key: 'listenPort', remark }
  }
  const taken = brokerPorts(listenPort).find(({ port }) => port === metrics)
  if (metricsExporterType !== 'PROM' || taken === undefined) return undefined
  const remark = `metricsPromExporterPort=${metrics} is the port of ${taken.what}: listenPort is ${listenPort}`
  return { key: 'metricsPromExporterPort', remark }
}

/** Where a broker listens, and for whom. */
export const brokerPorts = (listenPort: number): { readonly port: number; readonly what: string }[] => [
  { port: listenPort, what: 'clients (listenPort)' },
  { port: listenPort - 2, what: 'clients (listenPort - 2)' },
  { port: listenPort + 1, what: 'slaves (listenPort + 1)' },
]
