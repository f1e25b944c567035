/** What Skua makes Apache's tools print otherwise than a real server does, on purpose. Nothing else may differ. */
export interface IntendedLine {
  /** Of the command line, without its stage. */
  readonly line: RegExp
  /** The whole difference: `- ` what only the real server made them print, `+ ` what only Skua did. */
  readonly text: RegExp
  readonly reason: string
}

const config = /^(?:getBrokerConfig|getNamesrvConfig)/

export const intendedLines: readonly IntendedLine[] = [
  {
    line: /^clusterList/,
    text: /V(?:4_9_7|5_3_3|4_9_8)/,
    reason: 'Skua says that it is 5.3.3 or 4.9.8, as its dialect is',
  },
  {
    line: /^(?:topicList|statsAll)/,
    text: /^\+ (?:DefaultCluster )?RMQ_SYS_TRANS_(?:OP_)?HALF_TOPIC\b/,
    reason: 'the topics of transactions are there from the start, as in 5.3.3; 4.9 makes them a minute later',
  },
  {
    line: /^(?:topicList|statsAll)/,
    text: /^- (?:DefaultCluster )?rmq_sys_(?:REVIVE_LOG|wheel_timer|SYNC_BROKER_MEMBER)\S*/,
    reason: 'topics of 5.3.3 that are made when they are needed, or never',
  },
  {
    line: /^statsAll/,
    text: /^[-+] (?:Late|SCHEDULE_TOPIC_XXXX) 0 # [01] NO_CONSUMER$/,
    reason: 'a delayed message counts as sent to its own topic, not to that of the delays',
  },
  {
    line: /^brokerStatus/,
    text: /^\+ (?:<addr> )?(?:heldPulls|subscriptionsDiffer(?:Times)?|skua(?:Role|RoleEpoch|Copying|Follows))$/,
    reason: 'figures of Skua',
  },
  {
    line: /^brokerStatus/,
    text: /^\+ (?:<addr> )?(?:getTransferr?edTps|scheduleMessageOffset_\d+)$/,
    reason: 'told under the names of 4.9 and 5.x, and from the start',
  },
  {
    line: /^brokerStatus/,
    text: /^- (?:<addr> )?(?:getMessageEntireTimeMax|brokerActive|(?:ack|litePull)ThreadPool\w+|timer\w+)$/,
    reason: 'not measured, or of thread pools and timers of 5.x: /metrics tells of timers',
  },
  {
    line: config,
    text: /^\+ \w+ =/,
    reason: 'keys of Skua, and keys of 5.3 that have a meaning here',
  },
  {
    line: config,
    text: /^- (?:rocketmqHome|configStorePath|storePath\w+|bitMapLengthConsumeQueueExt|(?:send|pull)MessageThreadPoolNums) =/,
    reason: 'paths, and what RocketMQ reckons from the machine',
  },
  {
    line: /^(?:clusterAclConfigVersion|updateAclConfig|deleteAclConfig|updateGlobalWhiteAddr)/,
    text: /^[-+] ! (?:code (?:3|209|210|211)|\S+RemotingTimeoutException)$/,
    reason: 'without aclEnable the requests are unknown (3); 4.9 fails at each in its own way, or does not answer',
  },
  {
    line: /^(?:queryMsgBy|printMsg|consumeMessage)/,
    text: /Properties: |consumerGroup=(?:Orders|billing)|See https:|MSG_REGION|properties=/,
    reason:
      '5.3.3 stores MSG_REGION, TRACE_ON and WAIT, and takes a topic’s name for one of its groups; 4.9 does neither',
  },
  {
    line: /^queryCq/,
    text: /^[-+] ConsumeQueueData\{.*eval=(?:true|false)/,
    reason: 'eval says whether the group would get the message, for plain units, too',
  },
  {
    line: /^(?:resetOffsetByTime|skipAccumulatedMessage)/,
    text: /^[-+] (?:#brokerName|broker-a|rollback consumer offset)/,
    reason:
      'where nobody is online the broker moves the offsets itself, as 5.x does; 4.9 refuses, and its tool commits them',
  },
]

/**
 * What ours prints in another layout than Apache's tool, with the reason: it is not compared line by line. All that is not
 * here has Apache's columns and rows.
 */
export const ownLayout: ReadonlyMap<string, string> = new Map(
  Object.entries({
    topicRoute: 'JSON that parses: Apache’s has numbers as names',
    'topicRoute -t Orders -l': 'the sum is a sentence',
    consumerStatus: 'prints what Apache’s writes into a file',
    consumer: 'is consumerStatus: Apache’s own list has no command of that name any more',
    producerConnection: 'has titles, where Apache’s numbers its rows',
    producer: 'a table, where Apache’s prints objects',
    queryCq: 'a table, where Apache’s prints objects',
    queryMsgById: 'the body itself instead of the path of a file',
    queryMsgByUniqueKey: 'the body itself instead of the path of a file',
    queryMsgByOffset: 'the body itself instead of the path of a file',
    printMsg: 'what people read of a message, where Apache’s prints objects',
    printMsgByQueue: 'what people read of a message, where Apache’s prints objects',
    consumeMessage: 'what people read of a message, where Apache’s prints objects',
    allocateMQ: 'members of the JSON in another order',
    updateTopic: 'settings below each other, where Apache’s prints an object',
    updateTopicPerm: 'no object behind the sentence',
    updateSubGroup: 'no object behind the sentence',
    updateNamesrvConfig: 'the address without brackets',
    sendMsgStatus: 'no object; Apache’s sends one message more before it counts',
    checkMsgSendRT: 'a column with what went wrong',
    resetOffsetByTime: 'the sentence names the time only as the request has it',
    resetOffsetByTimeOld: 'still there: 4.9.8’s list has lost it',
    getConsumerStatus: 'still there: 4.9.8’s list has lost it',
    cleanExpiredCQ: 'names the brokers that did it',
    cleanUnusedTopic: 'names the brokers that did it',
    deleteExpiredCommitLog: 'names the brokers that did it',
    deleteSubGroup: 'says in one line what went with the group',
    clusterRT: 'ends after a round on wish',
    brokerConsumeStats: 'has the queues of which nothing was consumed, too',
    exportMetadata: 'is told by the file',
    'getBrokerConfig -c DefaultCluster': 'addresses without Master and Slave before them',
    'consumerProgress -g nobody': 'a group that nobody knows is a failure',
    getConsumerConfig: 'a group that is nowhere is a failure',
    'queryMsgByKey -t Orders -k nothing': 'nothing found is an empty table',
  }),
)

/**
 * What is by chance at 5.3.3 itself: whether a group has a row for its retry topic, how far its samples are, and what it says of groups
 * that are named as topics; and Apache's 4.9.8 fails there at exportMetrics, where ours does not.
 */
export const isChanceAt533 = (line: string, text: string): boolean =>
  /: statsAll/.test(line) ||
  (/: consumerProgress -g billing/.test(line) && text.includes('%RETRY%billing')) ||
  (/: export(?:Configs|Metrics)/.test(line) && /^[+-] (?:!|export)/.test(text))

/** What Apache's tools leave behind at a broker, and ours do not. */
export const isTraceOfTools = (text: string): boolean =>
  /(?:__MONITOR|TOOLS)_CONSUMER|[+] OFFSET_MOVED_EVENT/.test(text)

/** A line of ours that is not compared: its whole command line, or its command, has a layout of its own. */
export function layoutReason(line: string): string | undefined {
  const command = line.slice(line.indexOf(': ') + 2)
  return ownLayout.get(command) ?? ownLayout.get(command.split(' ')[0] ?? '')
}

/** Refusals of ours are sentences of its own. Both must refuse. */
export const isRefusal = (text: string): boolean => /^[-+] ! /.test(text)
