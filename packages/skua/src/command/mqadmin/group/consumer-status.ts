import { checkGroup, consumerRunningInfo, type GroupCheck, type RunningConsumer } from '@skua-mq/admin'
import { needed, text, toggle } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { type Block, emptyLine, lines, record, table } from '../frame/table.ts'
import { timeText } from '../frame/time-text.ts'

export const consumerStatus = subcommand({
  requests: '203, 307',
  notes: 'Apache’s writes a file for each member; here -i prints what one of them tells',
  flags: {
    consumerGroup: needed(text('g', 'consumerGroup', 'name of the consumer group')),
    clientId: text('i', 'clientId', 'only this member, with all that it tells'),
    brokerAddr: text('b', 'brokerAddr', 'ask through this broker, host:port'),
    jstack: toggle('s', 'jstack', 'with the stacks of its threads (Java clients)'),
  },
  run: async ({ session, flags: { consumerGroup: group, clientId, brokerAddr, jstack } }) =>
    clientId === undefined
      ? checkGroup(session, group, { jstack, brokerAddr })
      : consumerRunningInfo(session, { group, clientId }, { jstack, brokerAddr }),
  show: found => ('members' in found ? showGroup(found) : showMember(found)),
})

function showGroup({ members, silent, sameSubscriptions, findings }: GroupCheck): Block[] {
  return [
    table(
      [
        { title: '#Index', cell: row => row.index },
        { title: '#ClientId', cell: row => row.member.clientId },
        { title: '#Version', cell: row => row.member.properties['PROP_CLIENT_VERSION'] ?? '' },
        { title: '#Queues', cell: row => row.member.queues.length, right: true },
      ],
      members.map((member, i) => ({ index: i + 1, member })),
    ),
    ...silent.map(({ clientId, reason }) => lines(`${clientId} does not answer: ${reason}`)),
    emptyLine,
    lines(
      sameSubscriptions
        ? 'Same subscription in the same group of consumer'
        : 'WARN: Different subscription in the group',
      findings.length === 0 ? 'Rebalance OK' : 'Rebalance Failed',
      ...findings,
    ),
  ]
}

function showMember({ clientId, properties, subscriptions, queues, status, jstack }: RunningConsumer): Block[] {
  return [
    lines(`#Consumer ${clientId}#`),
    record(Object.entries(properties).map(([key, value]) => [key, `: ${value}`])),
    emptyLine,
    table(
      [
        { title: '#Topic', cell: row => row.topic },
        { title: '#SubExpression', cell: row => row.subString },
      ],
      subscriptions,
    ),
    emptyLine,
    table(
      [
        { title: '#Topic', cell: row => row.topic },
        { title: '#Broker Name', cell: row => row.brokerName },
        { title: '#QID', cell: row => row.queueId, right: true },
        { title: '#ConsumerOffset', cell: row => row.commitOffset, right: true },
        { title: '#Cached', cell: row => row.cachedMsgCount, right: true },
        { title: '#LastPull', cell: row => timeText(row.lastPullTimestamp) },
        { title: '#LastConsume', cell: row => timeText(row.lastConsumeTimestamp) },
      ],
      queues,
    ),
    emptyLine,
    table(
      [
        { title: '#Topic', cell: ([topic]) => topic },
        { title: '#PullRT', cell: ([, it]) => it.pullRT.toFixed(2), right: true },
        { title: '#PullTPS', cell: ([, it]) => it.pullTPS.toFixed(2), right: true },
        { title: '#ConsumeRT', cell: ([, it]) => it.consumeRT.toFixed(2), right: true },
        { title: '#ConsumeOKTPS', cell: ([, it]) => it.consumeOKTPS.toFixed(2), right: true },
        { title: '#ConsumeFailedTPS', cell: ([, it]) => it.consumeFailedTPS.toFixed(2), right: true },
        { title: '#ConsumeFailedMsgsInHour', cell: ([, it]) => it.consumeFailedMsgs, right: true },
      ],
      Object.entries(status),
    ),
    ...(jstack === undefined ? [] : [emptyLine, { lines: jstack.split('\n') }]),
  ]
}
