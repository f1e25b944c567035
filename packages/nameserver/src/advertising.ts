import type { Connection } from '@skua-mq/remoting'

/** What clients are told for the addresses of brokers. */
export interface Advertising {
  /** From where a connection sees the brokers: all of one view are told the same. Few different ones. */
  readonly view: (asking: Connection) => string
  /** The address that those of a view are told. */
  readonly address: (brokerAddr: string, view: string) => string
}

/** As the brokers registered them. */
export const asRegistered: Advertising = { view: () => '', address: brokerAddr => brokerAddr }
