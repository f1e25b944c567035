import {
  type ConsumerOffsetTable,
  type DelayOffsetTable,
  getAllConsumerOffset,
  getAllDelayOffset,
  getAllSubscriptionGroupConfig,
  getAllTopicConfig,
  type RequestSpec,
  ResponseCode,
  type SubscriptionGroupTable,
  type TopicConfigTable,
} from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import { type Clock, defineEvent, type Events, type Service, type Timer } from '@skua-mq/runtime'

export const tablesNotSynced = defineEvent<{ master: string; table: string; reason: string }>(
  'a table of the master could not be taken',
  'warn',
)

export interface TableSyncParts {
  readonly clock: Clock
  readonly events: Events
  readonly client: Pick<RemotingClient, 'request'>
  /** host:port of the master; undefined while it is gone. */
  readonly masterAddr: () => string | undefined
  readonly topics: { replace(table: TopicConfigTable): void }
  readonly groups: { replace(table: SubscriptionGroupTable): void }
  readonly offsets: { takeAll(table: ConsumerOffsetTable['offsetTable']): void }
  readonly delays: { replace(table: DelayOffsetTable): void }
}

/** As RocketMQ 4.9's slaves do (ha.md 4). */
const firstMs = 3000
const periodMs = 10_000
const timeoutMs = 3000
/** Java's slaves ask for topics at the port that is not held up by messages: two below the main one. */
const fastPortBelow = 2

/** Brings a master's topics, groups and offsets to its slave. */
export class TableSync implements Service {
  readonly name = 'table sync'
  private readonly parts: TableSyncParts
  private timer: Timer | undefined
  private running = Promise.resolve()
  private readonly failing = new Map<string, string>()

  constructor(parts: TableSyncParts) {
    this.parts = parts
  }

  async start(): Promise<void> {
    this.arm(firstMs)
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    this.timer = undefined
    await this.running
  }

  private arm(ms: number): void {
    this.timer = this.parts.clock.after(ms, () => {
      this.running = this.round().then(() => {
        if (this.timer !== undefined) this.arm(periodMs)
      })
    })
  }

  private async round(): Promise<void> {
    const master = this.parts.masterAddr()
    if (master === undefined) return
    const { topics, groups, offsets, delays } = this.parts
    const colon = master.lastIndexOf(':') + 1
    const fast = `${master.slice(0, colon)}${Number(master.slice(colon)) - fastPortBelow}`
    await this.take(fast, getAllTopicConfig, body => topics.replace(getAllTopicConfig.replyBody!.decode(body)))
    await this.take(master, getAllConsumerOffset, body =>
      offsets.takeAll(getAllConsumerOffset.replyBody!.decode(body).offsetTable),
    )
    await this.take(master, getAllDelayOffset, body => delays.replace(getAllDelayOffset.replyBody!.decode(body)))
    await this.take(master, getAllSubscriptionGroupConfig, body =>
      groups.replace(getAllSubscriptionGroupConfig.replyBody!.decode(body)),
    )
  }

  /** One that fails keeps none of the others; one event for one reason. */
  private async take(address: string, spec: RequestSpec, use: (body: Uint8Array) => void): Promise<void> {
    let reason = ''
    try {
      const reply = await this.parts.client.request(address, spec, {}, { timeoutMs })
      if (reply.code !== ResponseCode.success) reason = `code ${reply.code}: ${reply.remark ?? ''}`
      else if (reply.body !== undefined) use(reply.body)
    } catch (error) {
      reason = (error as Error).message
    }
    if (reason !== '' && reason !== this.failing.get(spec.name))
      this.parts.events.emit(tablesNotSynced({ master: address, table: spec.name, reason }))
    this.failing.set(spec.name, reason)
  }
}
