import { groupConfig } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { jsonText } from '../frame/json.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines, settings } from '../frame/table.ts'

export const getConsumerConfig = subcommand({
  requests: '106, 201',
  flags: { groupName: needed(text('g', 'groupName', 'name of the consumer group')) },
  run: ({ session, flags }) => groupConfig(session, flags.groupName),
  show: found =>
    found.flatMap(({ clusterName, brokerName, config }) => [
      lines(`=============================${clusterName}:${brokerName}=============================`),
      settings(
        Object.fromEntries(
          Object.entries(config)
            .filter(([, value]) => value !== undefined && value !== null)
            .map(([key, value]) => [key, typeof value === 'object' ? jsonText(value, 0) : String(value)]),
        ),
      ),
    ]),
})
