import { type MessageQueue, Perm, type QueueData, type TopicRouteData } from '@skua-mq/protocol'
import { compareQueues, compareText } from '../queue.ts'

const masterId = 0

/** What the name servers say about a topic, with the two lists that clients make of it (client.md 3). */
export interface TopicRoute {
  readonly topic: string
  readonly data: TopicRouteData
  /** Where messages may be sent, in the order in which producers go round. */
  readonly publish: readonly MessageQueue[]
  /** Where messages may be read, sorted. */
  readonly subscribe: readonly MessageQueue[]
  /** The topic has a fixed number of queues per broker (orderTopicConf). */
  readonly ordered: boolean
}

export function topicRoute(topic: string, data: TopicRouteData): TopicRoute {
  return {
    topic,
    data,
    publish: publishList(topic, data),
    subscribe: subscribeList(topic, data),
    ordered: (data.orderTopicConf ?? '') !== '',
  }
}

/** Writable queues of brokers that have a master, or what orderTopicConf fixes. */
export function publishList(topic: string, data: TopicRouteData): MessageQueue[] {
  if (data.orderTopicConf !== undefined && data.orderTopicConf !== '') return fixedList(topic, data.orderTopicConf)
  const withMaster = new Set(
    data.brokerDatas.filter(broker => broker.brokerAddrs.has(masterId)).map(broker => broker.brokerName),
  )
  return byBroker(data.queueDatas)
    .filter(queue => (queue.perm & Perm.write) !== 0 && withMaster.has(queue.brokerName))
    .flatMap(queue => numbered(topic, queue.brokerName, queue.writeQueueNums))
}

/** Readable queues; a master is not needed. */
export function subscribeList(topic: string, data: TopicRouteData): MessageQueue[] {
  return data.queueDatas
    .filter(queue => (queue.perm & Perm.read) !== 0)
    .flatMap(queue => numbered(topic, queue.brokerName, queue.readQueueNums))
    .sort(compareQueues)
}

function fixedList(topic: string, conf: string): MessageQueue[] {
  return conf.split(';').flatMap(part => {
    const [brokerName, count] = part.split(':')
    return brokerName === undefined || count === undefined ? [] : numbered(topic, brokerName, Number(count))
  })
}

const numbered = (topic: string, brokerName: string, count: number): MessageQueue[] =>
  Array.from({ length: count }, (_, queueId) => ({ topic, brokerName, queueId }))

const byBroker = (queues: readonly QueueData[]): QueueData[] =>
  [...queues].sort((a, b) => compareText(a.brokerName, b.brokerName))

/** The template's route as that of a topic yet to be made: at most `queueNums` queues per broker. */
export function fromTemplate(data: TopicRouteData, queueNums: number): TopicRouteData {
  const queueDatas = data.queueDatas.map(queue => {
    const count = Math.min(queueNums, queue.readQueueNums)
    return { ...queue, readQueueNums: count, writeQueueNums: count }
  })
  return { ...data, queueDatas }
}

/** Whether queues and brokers are the same but for their order: then producers keep their place in the round. */
export function sameRoute(a: TopicRouteData, b: TopicRouteData): boolean {
  return fingerprint(a) === fingerprint(b)
}

function fingerprint(data: TopicRouteData): string {
  const queues = byBroker(data.queueDatas).map(q => [q.brokerName, q.perm, q.readQueueNums, q.writeQueueNums])
  const brokers = [...data.brokerDatas]
    .sort((a, b) => compareText(a.brokerName, b.brokerName))
    .map(broker => [
      broker.cluster,
      broker.brokerName,
      [...broker.brokerAddrs].sort(([x], [y]) => Number(x) - Number(y)),
    ])
  return JSON.stringify([data.orderTopicConf ?? '', queues, brokers])
}
