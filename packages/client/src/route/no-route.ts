import { type ClusterInfo, deadLetterPrefix, retryPrefix } from '@skua-mq/protocol'
import { nearest } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'

export interface NoRouteQuestions {
  clusters(): Promise<ClusterInfo | undefined>
  topics(): Promise<readonly string[]>
  /** Brokers were asked for a template and have none. A consumer does not know that: the topic may come with a first send. */
  readonly templateMissing: boolean
}

/** Tells the causes of "no route" apart (promises.md 4). The questions may fail: then the name server's trouble is the cause. */
export async function explainNoRoute(topic: string, questions: NoRouteQuestions): Promise<ClientError> {
  let clusters: ClusterInfo | undefined
  let topics: readonly string[]
  try {
    clusters = await questions.clusters()
    topics = await questions.topics()
  } catch (error) {
    return error instanceof ClientError ? error : new ClientError('NAME_SERVER', String(error), { cause: error })
  }
  if (clusters !== undefined && clusters.brokerAddrTable.size === 0) {
    return noRoute('no broker is registered with the name server: start one with this name server address', true)
  }
  const bare = topic.slice(topic.indexOf('%') + 1)
  if (topics.includes(topic)) {
    return noRoute(`none of the brokers of ${topic} is registered: start one of them`, true)
  }
  const other = topics.find(name => name !== topic && name.slice(name.indexOf('%') + 1) === bare)
  if (other !== undefined) {
    return noRoute(`topic ${topic} does not exist, but ${other} does: check the option namespace`)
  }
  const close = nearest(topic, topics)
  const meant = close === undefined ? '' : ` Did you mean ${close}?`
  const kind = [deadLetterPrefix, retryPrefix].find(prefix => topic.startsWith(prefix))
  if (kind !== undefined) {
    const group = topic.slice(kind.length)
    const what = kind === deadLetterPrefix ? 'dead letter' : 'message to be tried again'
    return noRoute(`topic ${topic} does not exist: it comes with the first ${what} of group ${group}`)
  }
  const create = `Admin.createTopic('${topic}'), or skua mqadmin updateTopic -n <name server> -c <cluster> -t ${topic}`
  const state = questions.templateMissing
    ? 'does not exist, and brokers do not create topics by themselves'
    : 'does not exist (yet)'
  return noRoute(`topic ${topic} ${state}.${meant} Create it by ${create}`)
}

const noRoute = (message: string, retriable = false): ClientError => new ClientError('NO_ROUTE', message, { retriable })

/** There is a route, but nothing in it may be written. */
export function notWritable(topic: string): ClientError {
  return noRoute(`topic ${topic} has no writable queue: its permission lacks write, or its masters are down`, true)
}
