import type { Dashboard, Shapes } from './dashboard.ts'
import type { World } from './world.ts'

/** What a page of the dashboard asks: a GET, or a POST with a body. `$name` stands for what the world names. */
export interface Call {
  readonly path: string
  readonly body?: unknown
}

const get = (path: string): Call => ({ path })
const post = (path: string, body: unknown): Call => ({ path, body })

/** Every call of the dashboard's controllers that reaches a server, in this order; its own settings, logins and accounts of 5.x apart. */
export const dashboardCalls: readonly Call[] = [
  get('/cluster/list.query'),
  get('/cluster/brokerConfig.query?brokerAddr=$broker'),
  get('/topic/list.query'),
  get('/topic/list.query?skipSysProcess=true&skipRetryAndDlq=true'),
  get('/topic/list.queryTopicType'),
  get('/topic/stats.query?topic=Orders'),
  get('/topic/stats.query?topic=Nowhere'),
  get('/topic/route.query?topic=Orders'),
  get('/topic/queryConsumerByTopic.query?topic=Orders'),
  get('/topic/queryTopicConsumerInfo.query?topic=Orders'),
  get('/topic/examineTopicConfig.query?topic=Orders'),
  get('/topic/examineTopicConfig.query?topic=Orders&brokerName=broker-a'),
  get('/consumer/groupList.query?skipSysGroup=true'),
  get('/consumer/group.query?consumerGroup=billing'),
  get('/consumer/group.query?consumerGroup=nobody'),
  get('/consumer/group.refresh?consumerGroup=billing'),
  get('/consumer/examineSubscriptionGroupConfig.query?consumerGroup=idle'),
  get('/consumer/fetchBrokerNameList.query?consumerGroup=billing'),
  get('/consumer/queryTopicByConsumer.query?consumerGroup=billing&address=$none'),
  get('/consumer/consumerConnection.query?consumerGroup=billing&address=$none'),
  get('/consumer/consumerConnection.query?consumerGroup=nobody&address=$none'),
  get('/consumer/consumerRunningInfo.query?consumerGroup=billing&clientId=$client&jstack=false'),
  get('/producer/producerConnection.query?producerGroup=makers&topic=Orders'),
  get('/producer/producerConnection.query?producerGroup=nobody&topic=Orders'),
  get('/message/viewMessage.query?topic=Orders&msgId=$msgId'),
  get('/message/viewMessage.query?topic=Orders&msgId=$offsetMsgId'),
  get('/message/queryMessageByTopicAndKey.query?topic=Orders&key=k1'),
  get('/message/queryMessageByTopicAndKey.query?topic=Orders&key=nothing'),
  get('/message/queryMessageByTopic.query?topic=Orders&begin=0&end=$later'),
  post('/message/queryMessagePageByTopic.query', {
    topic: 'Orders',
    begin: 0,
    end: '$later',
    pageNum: 1,
    pageSize: 20,
    taskId: '',
  }),
  get('/messageTrace/viewMessage.query?topic=Orders&msgId=$msgId'),
  get('/messageTrace/viewMessageTraceDetail.query?msgId=$msgId'),
  get('/messageTrace/viewMessageTraceGraph.query?msgId=$msgId'),
  post('/dlqMessage/queryDlqMessageByConsumerGroup.query', {
    topic: '%DLQ%dead',
    begin: 0,
    end: '$later',
    pageNum: 1,
    pageSize: 20,
    taskId: '',
  }),
  get('/rocketmq/nsaddr.query'),
  get('/ops/rocketMqStatus.query'),
  get('/dashboard/topicCurrent.query'),
  post('/message/consumeMessageDirectly.do?topic=Orders&consumerGroup=billing&msgId=$msgId&clientId=$client', {}),
  post('/topic/createOrUpdate.do', {
    ...{ clusterNameList: ['DefaultCluster'], brokerNameList: ['broker-a'], topicName: 'Made', writeQueueNums: 4 },
    ...{ readQueueNums: 4, perm: 6, order: false, messageType: 'NORMAL' },
  }),
  post('/topic/sendTopicMessage.do', { topic: 'Made', key: 'k', tag: 'A', messageBody: 'hello', traceEnabled: false }),
  post('/consumer/createOrUpdate.do', {
    ...{ clusterNameList: ['DefaultCluster'], brokerNameList: ['broker-a'] },
    subscriptionGroupConfig: {
      groupName: 'made',
      consumeEnable: true,
      retryQueueNums: 1,
      retryMaxTimes: 3,
      brokerId: 0,
    },
  }),
  post('/consumer/resetOffset.do', { consumerGroupList: ['billing'], topic: 'Orders', resetTime: 0, force: true }),
  post('/consumer/skipAccumulate.do', { consumerGroupList: ['billing'], topic: 'Orders', resetTime: -1, force: true }),
  post('/consumer/resetOffset.do', { consumerGroupList: ['idle'], topic: 'Orders', resetTime: 0, force: true }),
  post('/dlqMessage/batchResendDlqMessage.do', [{ topicName: '%DLQ%dead', consumerGroup: 'dead', msgId: '$msgId' }]),
  post('/consumer/deleteSubGroup.do', { groupName: 'made', brokerNameList: ['broker-a'] }),
  post('/topic/deleteTopicByBroker.do?brokerName=broker-a&topic=Made', {}),
  post('/topic/deleteTopic.do?clusterName=DefaultCluster&topic=Made', {}),
]

const named = (text: string, names: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$(\w+)/g, (_, name: string) => encodeURIComponent(names[name] ?? ''))

/** The shape of what each call answered, by its path: names and types, of lists the shapes of what is in them. */
export async function runCalls(dashboard: Dashboard, world: World): Promise<Shapes> {
  const names = { ...world.names, later: String(Date.now() + 60_000) }
  const shapes: Record<string, unknown> = {}
  for (const { path, body } of dashboardCalls) {
    const at = named(path, names)
    const sent = body === undefined ? undefined : JSON.parse(named(JSON.stringify(body), names).replaceAll(/%25/g, '%'))
    shapes[`${path} ${body === undefined ? '' : JSON.stringify(body)}`.trim()] = shapeOf(
      sent === undefined ? await dashboard.get(at) : await dashboard.post(at, sent),
    )
  }
  return shapes
}

/** Keys that are names of something: addresses, ids, places of queues. */
const isName = (key: string): boolean => /[.:@{[\]/]|^\d+$|^[0-9A-F]{32}$|^(?:DefaultCluster|broker-a)$/.test(key)

function shapeOf(value: unknown): unknown {
  if (Array.isArray(value))
    return [...new Set(value.map(each => JSON.stringify(shapeOf(each))))].sort().map(each => JSON.parse(each))
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const shape: Record<string, unknown> = {}
  for (const [key, each] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    shape[isName(key) ? '*' : key] = key === 'status' ? each : shapeOf(each)
  return shape
}
