import { brokerConfig, brokersAt, each } from '@skua-mq/admin'
import { whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { emptyLine, lines, settings } from '../frame/table.ts'

export const getBrokerConfig = subcommand({
  requests: '26; -c: 106',
  flags: whereFlags(),
  run: async ({ session, flags }) =>
    each(await brokersAt(session, whereOf(flags)), async address => ({
      address,
      settings: await brokerConfig(session, address),
    })),
  show: brokers =>
    brokers.flatMap(broker => [
      lines(`============${broker.address}============`),
      settings(broker.settings),
      emptyLine,
    ]),
})
