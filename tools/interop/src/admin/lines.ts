import type { ToolVersion } from './tool.ts'

/** A command line that is run at every server with every tool that has it; `$name` stands for what the world names. */
export interface Line {
  readonly line: string
  /** Default: both. */
  readonly only?: ToolVersion
  /** Flags that this version wants beside. */
  readonly newer?: string
  /** Behind the first samples of the broker's statistics. */
  readonly sampled?: true
  /** It goes on for ever, and is interrupted after this time. */
  readonly limitMs?: number
  /** What ends ours after one round. */
  readonly once?: string
}

/** While the consumers are online. */
const reading: readonly (string | Line)[] = [
  'clusterList',
  'clusterList -m',
  'topicList',
  'topicList -c',
  'topicRoute -t Orders',
  'topicRoute -t Orders -l',
  'topicRoute -t Nowhere',
  'topicStatus -t Orders',
  'topicStatus -t %DLQ%dead',
  'topicStatus -t SCHEDULE_TOPIC_XXXX',
  'topicClusterList -t Orders',
  'brokerStatus -b $broker',
  'brokerStatus -c DefaultCluster',
  'getBrokerConfig -b $broker',
  'getBrokerConfig -c DefaultCluster',
  'getNamesrvConfig',
  'brokerConsumeStats -b $broker',
  'consumerProgress',
  'consumerProgress -g billing',
  'consumerProgress -g billing -s true',
  'consumerProgress -g nobody',
  'consumerConnection -g billing',
  'consumerConnection -g billing -b $broker',
  'consumerConnection -g idle',
  'consumerStatus -g billing',
  'consumerStatus -g billing -i $client',
  'consumer -g billing',
  'producerConnection -g makers -t Orders',
  'producerConnection -g nobody -t Orders',
  'producer -b $broker',
  'getConsumerConfig -g idle',
  'getConsumerConfig -g nobody',
  'getConsumerStatus -g billing -t Orders',
  'queryCq -t Orders -q $queue -i $offset -c 1',
  'queryCq -t Orders -q $queue -i $offset -c 1 -g billing',
  { line: 'queryMsgById -i $offsetMsgId', newer: '-t Orders' },
  'queryMsgByKey -t Orders -k k1',
  'queryMsgByKey -t Orders -k nothing',
  'queryMsgByUniqueKey -t Orders -i $msgId',
  'queryMsgByOffset -t Orders -b broker-a -i $queue -o $offset',
  'queryMsgTraceById -i $msgId',
  'printMsg -t Orders -d true',
  'printMsgByQueue -t Orders -a broker-a -i $queue -p true -d true',
  'printMsgByQueue -t Orders -a broker-a -i $queue -f true',
  'consumeMessage -t Orders',
  'consumeMessage -t Orders -b broker-a -i $queue -o $offset -c 1',
  'allocateMQ -t Orders -i 10.0.0.1,10.0.0.2',
  'exportMetadata -c DefaultCluster -f $dir/metadata -t',
  'exportMetadata -b $broker -f $dir/metadata -g',
  'exportConfigs -c DefaultCluster -f $dir/configs',
  'exportMetrics -c DefaultCluster -f $dir/metrics',
  { line: 'startMonitoring', limitMs: 1500, once: '-i 0' },
  { line: 'statsAll -t Orders', sampled: true },
  'statsAll -a',
  'statsAll',
]

/** These change something, in this order; the consumers are still online. */
const changing: readonly (string | Line)[] = [
  'queryMsgById -i $offsetMsgId -g billing -d $client',
  'queryMsgByUniqueKey -t Orders -i $msgId -g billing -d $client',
  'updateTopic -b $broker -t Made -r 2 -w 2',
  'updateTopic -c DefaultCluster -t Made -r 4 -w 4 -p 6 -o true',
  'updateTopicPerm -c DefaultCluster -t Made -p 4',
  'updateTopicPerm -b $broker -t Made -p 6',
  'updateTopicPerm -c DefaultCluster -t Nowhere -p 4',
  'updateOrderConf -t Made -m put -v broker-a:4',
  'updateOrderConf -t Made -m get',
  'updateOrderConf -t Made -m delete',
  'updateSubGroup -b $broker -g made -r 3',
  'updateSubGroup -c DefaultCluster -g made -s false -q 2 -r 5',
  'getConsumerConfig -g made',
  'updateBrokerConfig -b $broker -k fileReservedTime -v 71',
  'updateBrokerConfig -c DefaultCluster -k fileReservedTime -v 72',
  'updateNamesrvConfig -k orderMessageEnable -v true',
  'updateKvConfig -s shop -k size -v big',
  'deleteKvConfig -s shop -k size',
  'wipeWritePerm -b broker-a',
  'addWritePerm -b broker-a',
  'wipeWritePerm -b nowhere',
  'sendMessage -t Made -p hello -k k9 -c A',
  'sendMessage -t Made -p hello -b broker-a -i 1',
  'sendMsgStatus -b broker-a -c 2',
  'checkMsgSendRT -t Made -a 3 -s 16',
  { line: 'clusterRT -a 2 -s 16', limitMs: 1500, once: '-i 0' },
  'cloneGroupOffset -s billing -d idle -t Orders -o true',
  'resetOffsetByTime -g billing -t Orders -s now',
  'resetOffsetByTimeOld -g billing -t Orders -s now',
  'skipAccumulatedMessage -g billing -t Orders',
  'cleanExpiredCQ -b $broker',
  'cleanExpiredCQ -c DefaultCluster',
  'cleanUnusedTopic -b $broker',
  'cleanUnusedTopic -c DefaultCluster',
  'deleteExpiredCommitLog -b $broker',
  'deleteExpiredCommitLog -c DefaultCluster',
  { line: 'clusterAclConfigVersion -b $broker', only: '4.9.8' },
  { line: 'updateAclConfig -b $broker -a account9 -s secret99 -t Orders=PUB', only: '4.9.8' },
  { line: 'updateGlobalWhiteAddr -b $broker -g 10.9.8.7', only: '4.9.8' },
  { line: 'deleteAclConfig -b $broker -a account9', only: '4.9.8' },
  { line: 'updateTopicList -b $broker -f $dir/topics.json', only: '5.3.3' },
  { line: 'updateSubGroupList -c DefaultCluster -f $dir/groups.json', only: '5.3.3' },
  { line: 'haStatus -b $broker', only: '5.3.3' },
  { line: 'setConsumeMode -c DefaultCluster -t Made -g made -m POP -q 1', only: '5.3.3' },
]

/** When nobody is online any more. */
const ending: readonly (string | Line)[] = [
  'consumerProgress -g billing',
  'consumerConnection -g billing',
  'resetOffsetByTime -g billing -t Orders -s 0',
  'skipAccumulatedMessage -g billing -t Orders',
  'getConsumerStatus -g billing -t Orders',
  'deleteSubGroup -b $broker -g made',
  'deleteSubGroup -c DefaultCluster -g idle -r true',
  'deleteTopic -c DefaultCluster -t Made',
  'deleteTopic -c DefaultCluster -t Nowhere',
  'topicList',
]

const whole = (lines: readonly (string | Line)[]): Line[] =>
  lines.map(line => (typeof line === 'string' ? { line } : line))

export const stages = { reading: whole(reading), changing: whole(changing), ending: whole(ending) } as const

/** The words of a line for a tool, without what all lines have. */
export function wordsOf(
  { line, newer }: Line,
  version: ToolVersion,
  names: Readonly<Record<string, string>>,
): string[] {
  const text = version === '4.9.8' || newer === undefined ? line : `${line} ${newer}`
  return text.split(' ').map(word => word.replaceAll(/\$(\w+)/g, (_, name: string) => names[name] ?? ''))
}

/** Names of the commands that are compared with a version. */
export const comparedCommands = (version: ToolVersion): ReadonlySet<string> =>
  new Set(
    Object.values(stages)
      .flat()
      .filter(({ only }) => only === undefined || only === version)
      .map(({ line }) => line.split(' ')[0] ?? ''),
  )
