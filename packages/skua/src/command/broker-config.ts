import { type BrokerConfig, impossibleIn } from '@skua-mq/broker'
import { type TlsConfig, tlsOptions } from '@skua-mq/remoting'
import { OptionError } from '@skua-mq/runtime'
import { masterOptions } from '../masters/options.ts'
import { type ConfigSources, type Configured, configure } from './config-file.ts'
import { dashboardOptions } from './dashboard-options.ts'
import { grpcOptions } from './grpc.ts'

const table = { ...grpcOptions, ...dashboardOptions, ...masterOptions, ...tlsOptions } as const

/** What a broker is told by its file, the environment and the command line. Errors say where: OptionError, PropertiesError. */
export function readBrokerConfig(from: ConfigSources<typeof table>): Configured<typeof table> {
  const read = configure(table, from)
  refuseImpossible(read.config, read.placeOf)
  return read
}

/** Throws OptionError where values exclude each other. `placeOf`: what stands before the remark about a key. */
export function refuseImpossible(config: BrokerConfig & Partial<TlsConfig>, placeOf: (key: string) => string): void {
  const impossible = impossibleIn(config)
  if (impossible !== undefined) throw new OptionError(impossible.key, `${placeOf(impossible.key)}${impossible.remark}`)
}
