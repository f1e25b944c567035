import { topicRoute as routeOf, type TopicRoute } from '@skua-mq/admin'
import { needed, text, toggle } from '../frame/flag.ts'
import { jsonText } from '../frame/json.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines, table } from '../frame/table.ts'

export const topicRoute = subcommand({
  requests: '105',
  flags: {
    topic: needed(text('t', 'topic', 'name of the topic')),
    list: toggle('l', 'list', 'a table instead of JSON'),
  },
  run: async ({ session, flags }) => javaForm(await routeOf(session, flags.topic)),
  show: (route, { flags }) => {
    if (!flags.list) return [{ lines: jsonText(route).split('\n') }]
    const rows = route.brokerDatas.map(broker => ({
      ...broker,
      queues: route.queueDatas.find(({ brokerName }) => brokerName === broker.brokerName),
    }))
    const sum = (key: 'readQueueNums' | 'writeQueueNums') =>
      rows.reduce((total, { queues }) => total + (queues?.[key] ?? 0), 0)
    const total = `Total: ${rows.length} brokers, ${sum('readQueueNums')} read queues, ${sum('writeQueueNums')} write queues`
    return [
      table(
        [
          { title: '#ClusterName', cell: row => row.cluster },
          { title: '#BrokerName', cell: row => row.brokerName },
          {
            title: '#BrokerAddrs',
            cell: row =>
              Object.entries(row.brokerAddrs)
                .map(([id, at]) => `${id}=${at}`)
                .join(','),
          },
          { title: '#ReadQueue', cell: row => row.queues?.readQueueNums, right: true },
          { title: '#WriteQueue', cell: row => row.queues?.writeQueueNums, right: true },
          { title: '#Perm', cell: row => row.queues?.perm, right: true },
        ],
        rows,
      ),
      lines(total),
    ]
  },
})

/** What Apache's tool prints: scripts read it. */
const javaForm = ({ orderTopicConf, queues, brokers }: TopicRoute) => ({
  brokerDatas: brokers.map(({ clusterName, brokerName, addresses }) => ({
    brokerAddrs: Object.fromEntries(addresses.map(({ brokerId, address }) => [brokerId, address])),
    brokerName,
    cluster: clusterName,
  })),
  filterServerTable: {},
  ...(orderTopicConf === undefined ? {} : { orderTopicConf }),
  queueDatas: queues,
})
