import { getConsumerListByGroup, type MessageModel, type MessageQueue, ResponseCode } from '@skua-mq/protocol'
import { anySlack, type Timer } from '@skua-mq/runtime'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { isRetryTopic } from '../name/namespace.ts'
import { compareText, queueKey } from '../queue.ts'
import type { AllocateStrategy } from './strategy/strategy.ts'

/** Java's rhythm; sooner while a round did not come out complete (client.md 2). */
const periodMs = 20_000
const incompleteMs = 1_000
const noRouteMs = 1_000

/** What holds the queues: told which of a topic are ours now. */
export interface Ownership {
  topics(): Iterable<string>
  /** Takes and gives up queues until exactly these are owned. Returns whether anything changed, and whether all is done. */
  update(
    topic: string,
    own: readonly MessageQueue[],
    all: readonly MessageQueue[],
  ): Promise<{ changed: boolean; complete: boolean }>
}

export interface RebalanceParts {
  readonly instance: ClientInstance
  /** On the wire. */
  readonly group: string
  readonly model: MessageModel
  readonly strategy: AllocateStrategy
  readonly ownership: Ownership
  readonly emit: EmitEvent
}

type Outcome = 'complete' | 'incomplete' | 'noRoute'

/** Shares queues out, every 20 s and at once when told (client.md 8). Rounds do not overlap. */
export class Rebalance {
  private readonly parts: RebalanceParts
  private readonly warned = new Set<string>()
  private readonly unknown = new Set<string>()
  private timer: Timer | undefined
  private running: Promise<void> | undefined
  private again = false
  private stopped = false

  constructor(parts: RebalanceParts) {
    this.parts = parts
  }

  /** A round now; if one is under way, another one after it. Resolves when it is over, and never rejects. */
  now(): Promise<void> {
    if (this.stopped) return this.running ?? Promise.resolve()
    if (this.running !== undefined) {
      this.again = true
      return this.running
    }
    this.timer?.cancel()
    this.running = this.rounds().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  /** No round after this; waits for the one under way. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.running
  }

  private async rounds(): Promise<void> {
    let outcomes: Outcome[]
    do {
      this.again = false
      outcomes = []
      for (const topic of [...this.parts.ownership.topics()]) {
        if (!this.stopped) outcomes.push(await this.topic(topic))
      }
    } while (this.again && !this.stopped)
    if (this.stopped) return
    const wait = outcomes.includes('incomplete') ? incompleteMs : outcomes.includes('noRoute') ? noRouteMs : periodMs
    const slack = wait === periodMs ? anySlack : 0
    this.timer = this.parts.instance.clock.after(wait, () => void this.now(), slack)
  }

  private async topic(topic: string): Promise<Outcome> {
    const { instance, ownership, group, emit } = this.parts
    try {
      const known = instance.routes.known(topic)
      const route = known ?? (await instance.routes.find(topic))
      if (route === undefined) {
        await this.warnUnknown(topic)
        return 'noRoute'
      }
      this.unknown.delete(topic)
      // Brokers that were just learnt of have not heard of this member yet.
      if (known === undefined) await instance.heartbeats.beat()
      const own = await this.share(topic, route.subscribe)
      if (own === undefined) return 'incomplete'
      const { changed, complete } = await ownership.update(topic, own, route.subscribe)
      if (changed) emit('queuesChanged', { group, topic, queues: own })
      return complete ? 'complete' : 'incomplete'
    } catch (error) {
      if (!this.stopped) emit('rebalanceFailed', { group, topic, error })
      return 'incomplete'
    }
  }

  /** Our share; undefined when the members are not known: then everything stays as it is. */
  private async share(topic: string, queues: readonly MessageQueue[]): Promise<readonly MessageQueue[] | undefined> {
    const { instance, group, model, strategy } = this.parts
    if (model === 'BROADCASTING') return queues
    const { clientId } = instance
    let clientIds = await this.members(topic)
    if (clientIds?.includes(clientId) !== true) {
      // A broker that was restarted knows us again after a heartbeat.
      await instance.heartbeats.beat()
      clientIds = await this.members(topic)
    }
    if (clientIds === undefined) return undefined
    if (queues.length === 0) return []
    const own = strategy.allocate({ group, clientId, queues, clientIds })
    this.warnIfNothing(topic, { own, members: clientIds.length, queues: queues.length })
    return unique(own)
  }

  /** Client ids of the group, sorted, from some broker of the topic. */
  private async members(topic: string): Promise<string[] | undefined> {
    const { instance, group } = this.parts
    const brokers = instance.routes.known(topic)?.data.brokerDatas ?? []
    if (brokers.length === 0) return undefined
    const { brokerName } = brokers[instance.runtime.random.int(brokers.length)]!
    const address = instance.routes.anyOf(brokerName, 0)?.address
    if (address === undefined) return undefined
    const allow = [ResponseCode.systemError]
    const call = { spec: getConsumerListByGroup, header: { consumerGroup: group }, allow }
    const reply = await instance.calls.ask(address, call)
    if (reply.code !== ResponseCode.success || reply.body === undefined) return undefined
    return getConsumerListByGroup.replyBody!.decode(reply.body).consumerIdList.sort(compareText)
  }

  /** Once until the topic is known. The retry topic comes with the first heartbeat. */
  private async warnUnknown(topic: string): Promise<void> {
    if (isRetryTopic(topic) || this.unknown.has(topic)) return
    this.unknown.add(topic)
    const { instance, group, emit } = this.parts
    emit('topicUnknown', { group, topic, error: await instance.routes.explain(topic) })
  }

  /** Once until we own something again. A retry topic has one queue, so most members never get it. */
  private warnIfNothing(topic: string, found: { own: readonly MessageQueue[]; members: number; queues: number }): void {
    if (found.own.length > 0) this.warned.delete(topic)
    else if (found.members > found.queues && !isRetryTopic(topic) && !this.warned.has(topic)) {
      this.warned.add(topic)
      const { members, queues } = found
      this.parts.emit('noQueue', { group: this.parts.group, topic, members, queues })
    }
  }
}

const unique = (queues: readonly MessageQueue[]): MessageQueue[] => [
  ...new Map(queues.map(queue => [queueKey(queue), queue])).values(),
]
