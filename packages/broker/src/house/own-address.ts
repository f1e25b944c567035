import type { Runtime } from '@skua-mq/runtime'
import type { BrokerConfig } from '../config/options.ts'

type Named = Pick<BrokerConfig, 'brokerIP1' | 'brokerIP2' | 'listenPort'>

/** The address without which nobody could say where this machine is. */
export const ownHost = ({ net }: Pick<Runtime, 'net'>): string => net.ownAddresses()[0] ?? '127.0.0.1'

/** host:port that clients are told. */
export const brokerAddrOf = (runtime: Pick<Runtime, 'net'>, { brokerIP1, listenPort }: Named): string =>
  `${brokerIP1 || ownHost(runtime)}:${listenPort}`

/** host:port that slaves are told. */
export const haAddrOf = (brokerAddr: string, { brokerIP2, listenPort }: Omit<Named, 'brokerIP1'>): string =>
  `${brokerIP2 || brokerAddr.slice(0, brokerAddr.lastIndexOf(':'))}:${listenPort + 1}`
