import {
  type AdminSession,
  groupProgress,
  isSystemGroup,
  listGroups,
  putGroup,
  type QueueProgress,
} from '@skua-mq/admin'
import { topicPlans } from '@skua-mq/broker'
import type {
  Producer,
  ProducerOptions,
  PushConsumer,
  PushConsumerOptions,
  SimpleConsumer,
  SimpleConsumerOptions,
} from '@skua-mq/client'
import { deadLetterPrefix, type PendingTransaction, retryPrefix, UniqueIds } from '@skua-mq/protocol'
import { didYouMean } from '@skua-mq/runtime'
import type { ClientKit, ConsumeOptions, TestClientOptions } from './client-kit.ts'
import type { TestClock } from './clock/test-clock.ts'
import type { TestFaults } from './fault/faults.ts'
import type { House } from './house.ts'
import { checkPattern, expectationFailed, type MessagePattern, matches, type Seen } from './look/expect.ts'
import type { Delivery } from './look/ledger.ts'
import { messagesOf, type TestMessage } from './look/messages.ts'
import { type ScheduledMessage, scheduledMessages } from './look/scheduled.ts'
import { type SeedMessage, type Sown, seedOf, sow } from './look/seed.ts'
import { halvesLieIn, seenBy, seenOf, type Waiting, withWaiting } from './look/seen.ts'
import type { StartBrokerOptions } from './options.ts'
import { Snapshot } from './snapshot.ts'

/** Transactions, and messages that are popped, that a look finds at most. */
const mostPending = 10_000

const inBrackets = (text: string | undefined): string => (text === undefined ? '' : ` (${text})`)

/** Where a group stands. */
export interface Lag {
  /** Messages that it has not passed, retries among them. */
  readonly total: number
  readonly queues: readonly QueueProgress[]
}

/** A name server and a broker for a test, in this process. */
export class TestBroker {
  private readonly house: House
  private readonly ids: UniqueIds
  private stopping: Promise<void> | undefined

  constructor(house: House) {
    this.house = house
    this.ids = new UniqueIds({ ip: Uint8Array.of(127, 0, 0, 1), pid: 1, instance: 1 })
  }

  /** For clients of any language: `host:port` of the name server. */
  get namesrvAddr(): string {
    return this.house.servers.namesrvAddr
  }

  get brokerAddr(): string {
    return this.house.servers.brokerAddr
  }

  get brokerName(): string {
    return this.house.servers.config.brokerName
  }

  get clock(): TestClock {
    return this.house.clocks.test
  }

  get faults(): TestFaults {
    return this.house.faults
  }

  /** Options for clients of @skua-mq/client that live in the test's time: spread them first. */
  get client(): TestClientOptions {
    return this.house.clientOptions
  }

  private get clients(): ClientKit {
    return this.house.clients
  }

  private get session(): AdminSession {
    return this.house.session
  }

  /** A producer that is started, and closed with the broker. */
  producer(options?: Partial<ProducerOptions>): Promise<Producer> {
    return this.clients.producer(options)
  }

  /** A consumer that is closed with the broker; a new group begins with the first message. */
  pushConsumer<T = undefined>(options: PushConsumerOptions<T>): PushConsumer<T> {
    return this.clients.pushConsumer(options)
  }

  /** The same with a handler, and started. */
  consume<T = undefined>(options: ConsumeOptions<T>): Promise<PushConsumer<T>> {
    return this.clients.consume(options)
  }

  simpleConsumer(options: SimpleConsumerOptions): SimpleConsumer {
    return this.clients.simpleConsumer(options)
  }

  /** Resolves when all is quiet: what was sent has arrived, and what is due now was handled. No time passes. */
  async idle(): Promise<void> {
    if (this.clock.kind === 'virtual') await this.clock.advance(0)
    else await this.house.quiet.settle()
  }

  /** Creates topics, or changes them: names, or `{ name, queues, type }`. */
  async createTopics(topics: NonNullable<StartBrokerOptions['topics']>): Promise<void> {
    await this.house.servers.declareTopics(topicPlans(topics, 'topics'))
  }

  async createGroups(groups: NonNullable<StartBrokerOptions['groups']>): Promise<void> {
    for (const group of groups)
      await putGroup(
        this.session,
        { brokerAddr: this.brokerAddr },
        typeof group === 'string' ? { groupName: group } : group,
      )
  }

  /** Stores messages, one behind the other: a file of JSON lines, or the messages. */
  async send(messages: string | readonly SeedMessage[]): Promise<Sown[]> {
    const plan = { address: this.brokerAddr, messages: seedOf(messages, this.house.files), newId: () => this.newId() }
    return sow(this.session, plan)
  }

  private newId(): string {
    return this.ids.next(this.clock.now())
  }

  /** All messages of a topic, decoded, in the order in which they were stored. */
  messages(topic: string): Promise<TestMessage[]> {
    return messagesOf(this.session, topic)
  }

  /** What a group gave up. */
  deadLetters(group: string): Promise<TestMessage[]> {
    return this.messages(`${deadLetterPrefix}${group}`)
  }

  /** Messages that wait for their time, retries among them; the next one first. */
  scheduled(): Promise<ScheduledMessage[]> {
    const { brokerName, messageDelayLevel } = this.house.servers.config
    const running = new Set(
      this.deliveries.filter(({ outcome }) => outcome === 'running').map(({ group, msgId }) => `${group} ${msgId}`),
    )
    return scheduledMessages({
      ...{ session: this.session, brokerName, messageDelayLevel },
      openPops: this.house.servers.openPops(mostPending),
      isRunning: (group, msgId) => running.has(`${group} ${msgId}`),
    })
  }

  /** Transactions that nobody has decided, oldest first. */
  undecided(): Promise<PendingTransaction[]> {
    return this.house.servers.pendingTransactions(mostPending)
  }

  /** By what the group has committed: push consumers do so every `persistConsumerOffsetInterval`. */
  async lag(group: string, topic?: string): Promise<Lag> {
    const { diffTotal: total, queues } = await groupProgress(this.session, group, topic)
    return { total, queues }
  }

  /** What handlers of clients with `broker.client` got, in the order of the calls. */
  get deliveries(): readonly Delivery[] {
    return this.house.ledger.deliveries
  }

  /** A message with all of this was handed to a handler of the group, which did not fail. `times`: so often. */
  async expectDelivered(
    pattern: MessagePattern & { readonly group: string; readonly times?: number | undefined },
  ): Promise<void> {
    checkPattern('expectDelivered', pattern)
    const { group, times, ...message } = pattern
    await this.idle()
    const seen = await this.seenBy(group, message.topic)
    const found = seen.filter(one => one.fate === 'delivered' && matches(message, one)).length
    if (times === undefined ? found > 0 : found === times) return
    const often = times === undefined ? '' : ` ${times} times, and ${found} times it was,`
    const all = withWaiting(seen, { group, topic: message.topic, waiting: await this.waitingFor(group) })
    throw expectationFailed(
      `expected to be delivered to ${group}${often}${inBrackets(await this.stranger(group))}`,
      message,
      all,
    )
  }

  /** No such message was handed to a handler of the group, whether it failed or not. Fails for a group that was never here. */
  async expectNotDelivered(pattern: MessagePattern & { readonly group: string }): Promise<void> {
    checkPattern('expectNotDelivered', pattern)
    const { group, ...message } = pattern
    await this.idle()
    // One whose name is written wrong gets nothing, either.
    const stranger = await this.stranger(group)
    if (stranger !== undefined)
      throw expectationFailed(`expected not to be delivered to ${group}${inBrackets(stranger)}`, message, [])
    const seen = await this.seenBy(group, message.topic)
    if (!seen.some(one => one.fate !== 'not delivered' && matches(message, one))) return
    throw expectationFailed(`expected not to be delivered to ${group}`, message, seen)
  }

  async expectDeadLetter(pattern: Omit<MessagePattern, 'topic'> & { readonly group: string }): Promise<void> {
    checkPattern('expectDeadLetter', pattern)
    const { group, ...message } = pattern
    await this.idle()
    const letters = (await this.deadLetters(group)).map(letter => seenOf(letter, { fate: 'dead letter' }))
    if (letters.some(one => matches(message, one))) return
    const waiting = await this.waitingFor(group)
    const others = withWaiting(await this.seenBy(group, undefined), { group, topic: undefined, waiting })
    const what = `expected among the dead letters of ${group}${inBrackets(await this.stranger(group))}`
    throw expectationFailed(what, message, [...letters, ...others])
  }

  /** What to say of a group that was never here: its name may be written wrong. */
  private async stranger(group: string): Promise<string | undefined> {
    if (this.deliveries.some(one => one.group === group)) return undefined
    const groups = await listGroups(this.session)
    if (groups.includes(group)) return undefined
    const own = groups.filter(name => !isSystemGroup(name))
    const near = didYouMean(group, own)
    return `no group ${group} has been here${near === '' && own.length > 0 ? `, but ${own.join(', ')}` : near}`
  }

  /** What a group got, and what else lies in the topic. */
  private async seenBy(group: string, topic: string | undefined): Promise<Seen[]> {
    const own = this.deliveries.filter(one => one.group === group)
    const got = own.map(seenBy)
    if (topic === undefined) return own.length > 0 ? got : this.passedBy(group)
    const all = await this.messages(topic)
    if (own.length > 0) {
      const ids = new Set(own.map(({ msgId }) => msgId))
      const others = all.filter(({ msgId }) => !ids.has(msgId))
      return [...got, ...others.map(one => seenOf(one, { fate: 'not delivered' }))]
    }
    return this.passedBy(group, topic)
  }

  /** Of clients elsewhere it is known how far they have come. Without a topic: in all that they have offsets of. */
  private async passedBy(group: string, topic?: string): Promise<Seen[]> {
    if (topic === undefined) {
      const { queues } = await this.lag(group)
      const topics = [...new Set(queues.map(queue => queue.topic))].filter(name => !name.startsWith(retryPrefix))
      return (await Promise.all(topics.map(name => this.passedBy(group, name)))).flat()
    }
    const all = await this.messages(topic)
    const { queues } = await this.lag(group, topic)
    const next = new Map(queues.map(({ queueId, consumerOffset }) => [queueId, consumerOffset]))
    const fateOf = ({ queueId, queueOffset }: TestMessage) =>
      queueOffset < (next.get(queueId) ?? 0) ? 'delivered' : 'not delivered'
    return all.map(one => seenOf(one, { fate: fateOf(one) }))
  }

  /** What keeps messages from a group. */
  private async waitingFor(group: string): Promise<Waiting> {
    const undecided = await this.undecided()
    return {
      nowMs: this.clock.now(),
      scheduled: await this.scheduled(),
      undecided,
      halves: undecided.length === 0 ? [] : await this.messages(halvesLieIn),
      letters: await this.deadLetters(group),
    }
  }

  /** Everything that is stored, and the time. */
  async snapshot(): Promise<Snapshot> {
    await this.idle()
    this.house.servers.saveTables()
    return new Snapshot(this.house.disk, this.house.root, this.clock.now())
  }

  /**
   * As it was at the snapshot: messages, topics, groups, offsets, and a virtual clock's time. Clients that the broker has made
   * are closed, and what handlers got is forgotten.
   */
  async restore(snapshot: Snapshot): Promise<void> {
    const { servers, clocks, clients, ledger } = this.house
    await this.clock.until(clients.close())
    await servers.killBroker()
    snapshot.writeTo(this.house.disk)
    clocks.virtual?.setWall(snapshot.takenAtMs)
    ledger.forget()
    await this.clock.until(servers.startBroker())
  }

  /** A clean stop, and a start. Clients find it again within a few seconds of their time. */
  async restart(): Promise<void> {
    const { servers } = this.house
    await this.clock.until(servers.stopBroker())
    await this.clock.until(servers.startBroker())
  }

  /** As kill -9 ends a process: what was written is there for the next start. */
  async kill(): Promise<void> {
    await this.house.servers.killBroker()
    await this.house.quiet.settle()
  }

  /** After a kill. */
  async start(): Promise<void> {
    await this.clock.until(this.house.servers.startBroker())
  }

  /** Closes the clients that it made, then itself. */
  stop(): Promise<void> {
    this.stopping ??= this.clock.until(this.house.stop())
    return this.stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
