import { getRouteInfoByTopic, type MessageQueue, Perm, ResponseCode, type TopicConfig } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'

export interface TopicQueuesParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly client: Pick<RemotingClient, 'request'>
  readonly namesrvAddrs: readonly string[]
  readonly brokerName: string
  readonly topic: (topic: string) => TopicConfig | undefined
}

/** How long a route counts, as with Java's broker. */
const freshMs = 30_000
const timeoutMs = 3000
/** Routes that are kept; the oldest goes. */
const maxRoutes = 10_000

interface Known {
  readonly atMs: number
  readonly queues: Promise<readonly MessageQueue[] | undefined>
}

/** The queues of a topic at all brokers, as the name servers know them; without any, or where none answers, at this one. */
export class TopicQueues {
  private readonly parts: TopicQueuesParts
  private readonly known = new Map<string, Known>()

  constructor(parts: TopicQueuesParts) {
    this.parts = parts
  }

  /** Sorted; undefined where nobody knows the topic. */
  of(topic: string): Promise<readonly MessageQueue[] | undefined> {
    const now = this.parts.clock.monotonic()
    const known = this.known.get(topic)
    if (known !== undefined && now - known.atMs < freshMs) return known.queues
    const queues = this.ask(topic).then(asked => {
      // What was not learned is asked for again by the next one.
      if (asked === undefined) this.known.delete(topic)
      return asked ?? this.own(topic)
    })
    if (this.known.size >= maxRoutes) this.known.delete(this.known.keys().next().value!)
    this.known.set(topic, { atMs: now, queues })
    return queues
  }

  forget(topic: string): void {
    this.known.delete(topic)
  }

  private own(topic: string): readonly MessageQueue[] | undefined {
    const config = this.parts.topic(topic)
    return config === undefined ? undefined : queuesOf(topic, [{ ...config, brokerName: this.parts.brokerName }])
  }

  private async ask(topic: string): Promise<readonly MessageQueue[] | undefined> {
    for (const address of this.parts.namesrvAddrs) {
      try {
        const reply = await this.parts.client.request(address, getRouteInfoByTopic, { topic }, { timeoutMs })
        if (reply.code !== ResponseCode.success || reply.body === undefined) continue
        const { queueDatas, brokerDatas } = getRouteInfoByTopic.replyBody!.decode(reply.body)
        const hasMaster = new Set(brokerDatas.filter(each => each.brokerAddrs.has(0)).map(each => each.brokerName))
        return queuesOf(
          topic,
          queueDatas.filter(({ brokerName }) => hasMaster.has(brokerName)),
        )
      } catch {
        // The next one may answer.
      }
    }
    return undefined
  }
}

type Queues = Pick<TopicConfig, 'readQueueNums' | 'perm'> & { readonly brokerName: string }

const queuesOf = (topic: string, datas: readonly Queues[]): readonly MessageQueue[] =>
  datas
    .filter(({ perm }) => (perm & Perm.read) !== 0)
    .sort((a, b) => (a.brokerName < b.brokerName ? -1 : 1))
    .flatMap(({ brokerName, readQueueNums }) =>
      Array.from({ length: readQueueNums }, (_, queueId) => ({ topic, brokerName, queueId })),
    )
