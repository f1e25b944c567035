import {
  type ConsumerOffsetTable,
  type DelayOffsetTable,
  getAllConsumerOffset,
  getAllDelayOffset,
  getAllMessageRequestMode,
  getAllSubscriptionGroupConfig,
  getAllTopicConfig,
  getBrokerRuntimeInfo,
  getTimerCheckPoint,
  type MessageRequestModes,
  type RequestSpec,
  ResponseCode,
  type SubscriptionGroupTable,
  type TopicConfigTable,
} from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import { type Clock, defineEvent, type Events, type Service, type Timer } from '@skua-mq/runtime'
import { decodeTimerCheckpoint, type MessageStore, type TimerCheckpoint } from '@skua-mq/store'
import { maxOffsets } from '../offset/offset-table.ts'

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
  /** Whether the log here is the master's, as far as it goes, and by which connection. */
  readonly link: { readonly isFollowing: boolean; readonly connections: number; endHeard(end: number): void }
  /** All that the master says of groups, delays and timers is here. */
  readonly taken: () => void
  readonly topics: { replace(table: TopicConfigTable): void; find(topic: string): unknown; ensure(topic: string): void }
  readonly groups: { replace(table: SubscriptionGroupTable): void; find(group: string): unknown }
  readonly offsets: {
    /** How many did not fit, whose groups begin anew where this slave is started as a master. */
    takeAll(table: Offsets): number
    /** What the master deleted; whoever makes the group or the topic again must not begin there. */
    dropGone(table: Offsets, isGone: (topic: string, group: string) => boolean): void
  }
  readonly modes: { replace(table: MessageRequestModes): void }
  readonly delays: { replace(table: DelayOffsetTable): Promise<void> }
  readonly timers: { replace(checkpoint: TimerCheckpoint): void }
  readonly store: Pick<MessageStore, 'maxPhysicalOffset' | 'sync' | 'onArrival'>
}

type Offsets = ConsumerOffsetTable['offsetTable']

/**
 * How far the master's groups have come, and itself with delayed messages, with timers and with checks of transactions, when
 * its log ended at `end` at most.
 */
interface Progress {
  readonly delays: DelayOffsetTable | undefined
  readonly timers: TimerCheckpoint | undefined
  readonly offsets: Offsets | undefined
  /** Topics that began anew in this log since it was asked: what it says of them may be of before. */
  readonly restarted: ReadonlySet<string>
  readonly end: number
  /** The connection to the master by which it was asked. */
  readonly connection: number
}

/** What a master has answered in one round. */
interface Said extends Pick<Progress, 'delays' | 'timers' | 'offsets'> {
  readonly end: number | undefined
}

/** As RocketMQ 4.9's slaves do (ha.md 4). */
const firstMs = 3000
const periodMs = 10_000
const timeoutMs = 3000
/** Java's slaves ask for topics at the port that is not held up by messages: two below the main one. */
const fastPortBelow = 2

/** No topic's name holds an @. */
const topicOf = (key: string): string => key.slice(0, key.indexOf('@'))

/**
 * Brings a master's topics, groups and offsets to its slave. What the master calls delivered, or asked about, lies in its log
 * anew, and so does what a group has popped, as check points: it counts here when it is in this log, too, and on the medium. A
 * slave whose log stands still would pass it otherwise where it is started as a master.
 */
export class TableSync implements Service {
  readonly name = 'table sync'
  private readonly parts: TableSyncParts
  private timer: Timer | undefined
  private readonly ending = new AbortController()
  private running = Promise.resolve()
  private isRunning = false
  private isDue = false
  private readonly failing = new Map<string, string>()
  private progress: Progress | undefined
  private restarted = new Set<string>()
  private readonly unknown = new Set<string>()

  constructor(parts: TableSyncParts) {
    this.parts = parts
    parts.store.onArrival({
      arrived: topic => {
        if (parts.topics.find(topic) === undefined) this.unknown.add(topic)
      },
      restarted: topic => this.restarted.add(topic),
    })
  }

  /** Makes the topics whose first messages have come, and of which the master's table has not told yet. */
  ensureTopics(): void {
    for (const topic of this.unknown) if (this.parts.topics.find(topic) === undefined) this.parts.topics.ensure(topic)
    this.unknown.clear()
  }

  async start(): Promise<void> {
    this.arm(firstMs)
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    this.timer = undefined
    // Whoever becomes the master does so because the one that is asked is gone: its answer may never come.
    this.ending.abort()
    await this.running
    // The next start may be one as a master.
    this.ensureTopics()
  }

  /** The log here is the master's since now: a slave that has no tables yet need not wait for the next round. */
  followed(): void {
    if (this.timer === undefined) return
    this.isDue = true
    if (this.isRunning) return
    this.timer.cancel()
    this.arm(0)
  }

  private arm(ms: number): void {
    this.timer = this.parts.clock.after(ms, () => {
      this.isDue = false
      this.isRunning = true
      this.running = this.round().then(() => {
        this.isRunning = false
        if (this.timer !== undefined) this.arm(this.isDue ? 0 : periodMs)
      })
    })
  }

  /**
   * A former master that is a slave now, and whose log is here to its end: what it knew of groups, delays and timers last. Throws
   * where it does not say, or has more of the log.
   */
  async takeFrom(address: string): Promise<void> {
    await this.running
    const { store } = this.parts
    const said = await this.ask(address)
    if (said.end === undefined) throw new Error(`${address} does not say all of it`)
    if (store.maxPhysicalOffset < said.end)
      throw new Error(`its log ends at ${said.end}, the one here at ${store.maxPhysicalOffset}`)
    this.progress = { ...said, end: said.end, restarted: new Set(), connection: this.parts.link.connections }
    await this.takeProgress()
    if (this.progress !== undefined) throw new Error('the log here could not be brought to the medium')
    await this.takeGroups(address)
  }

  private async round(): Promise<void> {
    const master = this.parts.masterAddr()
    if (master === undefined) return
    await this.takeProgress()
    const { link, store } = this.parts
    const connection = link.connections
    // What is not the master of this log may know nothing of its topics: one whose store was emptied names none.
    if (!link.isFollowing && store.maxPhysicalOffset > 0) return
    // From here on they are told by what is asked now, unless something waits that was asked before.
    if (this.progress === undefined) this.restarted = new Set()
    const { restarted } = this
    const { end, ...said } = await this.ask(master)
    if (end !== undefined && link.isFollowing && link.connections === connection) {
      link.endHeard(end)
      // What waits goes first, or a log that is always behind would come to none.
      if (this.progress?.connection !== connection) this.progress = { ...said, restarted, end, connection }
    }
    await this.takeProgress()
    await this.takeGroups(master)
  }

  /** Topics are taken at once; the rest is told. */
  private async ask(master: string): Promise<Said> {
    const { topics } = this.parts
    const colon = master.lastIndexOf(':') + 1
    const fast = `${master.slice(0, colon)}${Number(master.slice(colon)) - fastPortBelow}`
    const before = [...this.unknown]
    await this.take(fast, getAllTopicConfig, body => {
      topics.replace(getAllTopicConfig.replyBody!.decode(body))
      // A master has a topic before it has messages of it: one that is not in its table was deleted since.
      for (const topic of before) this.unknown.delete(topic)
    })
    let offsets: Offsets | undefined
    let delays: DelayOffsetTable | undefined
    await this.take(master, getAllConsumerOffset, body => {
      offsets = getAllConsumerOffset.replyBody!.decode(body).offsetTable
    })
    await this.take(master, getAllDelayOffset, body => {
      delays = getAllDelayOffset.replyBody!.decode(body)
    })
    let timers: TimerCheckpoint | undefined
    await this.take(master, getTimerCheckPoint, body => {
      timers = decodeTimerCheckpoint(Buffer.from(body))
    })
    // Asked for last: all that the tables speak of lies before it. A log that has gone another way may be as long, and has not
    // what the tables speak of.
    let end: number | undefined
    await this.take(master, getBrokerRuntimeInfo, body => {
      const told = Number(getBrokerRuntimeInfo.replyBody!.decode(body).table.get('commitLogMaxOffset'))
      if (Number.isSafeInteger(told)) end = told
    })
    return { offsets, delays, timers, end }
  }

  private async takeGroups(master: string): Promise<void> {
    const { groups, modes } = this.parts
    await this.take(master, getAllSubscriptionGroupConfig, body =>
      groups.replace(getAllSubscriptionGroupConfig.replyBody!.decode(body)),
    )
    await this.take(master, getAllMessageRequestMode, body =>
      modes.replace(getAllMessageRequestMode.replyBody!.decode(body)),
    )
  }

  private async takeProgress(): Promise<void> {
    const { store, delays, timers, link } = this.parts
    const { progress } = this
    // A master that was away may have lost what it spoke of, and has perhaps written something else there.
    if (progress !== undefined && progress.connection !== link.connections) this.progress = undefined
    if (this.progress === undefined || progress === undefined) return
    if (store.maxPhysicalOffset < progress.end || !(await store.sync())) return
    if (this.progress !== progress) return
    this.progress = undefined
    if (progress.offsets !== undefined) this.takeOffsets(progress.offsets, progress.restarted)
    if (progress.timers !== undefined) timers.replace(progress.timers)
    if (progress.delays !== undefined) await delays.replace(progress.delays)
    if (progress.offsets !== undefined && progress.delays !== undefined) this.parts.taken()
  }

  private takeOffsets(ofMaster: Offsets, restarted: ReadonlySet<string>): void {
    const { offsets, topics, groups } = this.parts
    offsets.dropGone(ofMaster, (topic, group) => topics.find(topic) === undefined || groups.find(group) === undefined)
    const left = offsets.takeAll(new Map([...ofMaster].filter(([key]) => !restarted.has(topicOf(key)))))
    this.tellOnce(
      'consumer offsets',
      left === 0 ? '' : `the table of offsets is full (${maxOffsets}): ${left} are left out`,
    )
  }

  /** One that fails keeps none of the others; one event for one reason. */
  private async take(address: string, spec: RequestSpec, use: (body: Uint8Array) => void): Promise<void> {
    if (this.timer === undefined) return
    let reason = ''
    try {
      const { signal } = this.ending
      const reply = await this.parts.client.request(address, spec, {}, { timeoutMs, signal })
      // A master of 4.9 has no timers.
      if (reply.code === ResponseCode.requestCodeNotSupported) reason = ''
      else if (reply.code !== ResponseCode.success) reason = `code ${reply.code}: ${reply.remark ?? ''}`
      else if (reply.body !== undefined) use(reply.body)
    } catch (error) {
      if (this.ending.signal.aborted) return
      reason = (error as Error).message
    }
    this.tellOnce(spec.name, reason, address)
  }

  private tellOnce(table: string, reason: string, master = this.parts.masterAddr() ?? ''): void {
    if (reason !== '' && reason !== this.failing.get(table))
      this.parts.events.emit(tablesNotSynced({ master, table, reason }))
    this.failing.set(table, reason)
  }
}
