import { type BrokerConfig, brokerPorts } from '@skua-mq/broker'
import { OptionError } from '@skua-mq/runtime'
import { refuseImpossible } from './broker-config.ts'

/** What a flag of its own says here, and `--config` does not. */
const flagOf: Readonly<Record<string, string>> = {
  listenPort: '--port',
  storePathRootDir: '--store',
  namesrvAddr: '--namesrv-port',
}

export interface StandalonePorts {
  readonly port: number
  readonly namesrvPort?: number
  readonly config?: Record<string, string>
}

/** Throws OptionError where `--port` and `--namesrv-port` cannot be, or `--config` says what they say. */
export function refusePorts(
  { port, namesrvPort = 9876, config = {} }: StandalonePorts,
  read: { readonly config: BrokerConfig; readonly placeOf: (key: string) => string },
): void {
  for (const key of Object.keys(config)) {
    const flag = flagOf[key]
    if (flag !== undefined) throw new OptionError(key, `--config: ${key} is said by ${flag} here`)
  }
  if (port === 0) return
  const placeOf = (key: string) => (key === 'listenPort' ? `--port ${port}: ` : read.placeOf(key))
  refuseImpossible({ ...read.config, listenPort: port }, placeOf)
  const taken = brokerPorts(port).find(each => each.port === namesrvPort)
  if (taken !== undefined)
    throw new OptionError(
      'namesrvPort',
      `--namesrv-port ${namesrvPort}: that is the broker’s port of ${taken.what}; --port is ${port}`,
    )
  const { metricsExporterType, metricsPromExporterPort: metrics } = read.config
  if (metricsExporterType === 'PROM' && metrics === namesrvPort)
    throw new OptionError('namesrvPort', `--namesrv-port ${namesrvPort}: that is metricsPromExporterPort as well`)
}
