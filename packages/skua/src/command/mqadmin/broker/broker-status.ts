import { brokerRuntimeInfo, brokersAt, each } from '@skua-mq/admin'
import { whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { record } from '../frame/table.ts'

export const brokerStatus = subcommand({
  requests: '28; -c: 106',
  flags: whereFlags(),
  run: async ({ session, flags }) =>
    each(await brokersAt(session, whereOf(flags)), async address => ({
      address,
      info: await brokerRuntimeInfo(session, address),
    })),
  show: (brokers, { flags }) =>
    brokers.map(({ address, info }) =>
      record(
        Object.entries(info).map(([key, value]) => {
          return [flags.clusterName === undefined ? key : `${address}  ${key}`, `: ${value}`] as const
        }),
      ),
    ),
})
