import assert from 'node:assert/strict'
import {
  checkTransactionState,
  decodeRecords,
  endTransaction,
  heartBeat,
  printProperties,
  pullMessage,
  queryConsumerOffset,
  readRecord,
  sendMessageV2,
  TransactionState,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { noReply, RemotingClient, route } from '@skua-mq/remoting'
import { type SimClock, type SimNetwork, type SimRandom, simRuntime } from '@skua-mq/runtime'
import { PopTraffic } from './pop-traffic.ts'

export const queues = [0, 1]
const group = 'g'

/** What a producer was told is stored, and has to reach the consumer; of a transaction, whether it was committed. */
interface Sent {
  readonly id: string
  isCommitted: boolean | undefined
}

type Spec = Parameters<RemotingClient['request']>[1]

/** Asks the broker; undefined where nobody answered. */
export type Ask = (spec: Spec, header: object) => Promise<Awaited<ReturnType<RemotingClient['request']>> | undefined>

/** Whether a message is neither delayed nor timed nor of a transaction: those may come twice after a crash. */
export const isPlain = (id: string): boolean => id.startsWith('m')

/**
 * A producer of ordinary, delayed, timed and transactional messages, a consumer that commits, and a group that pops, over one
 * connection.
 */
export class Traffic {
  private readonly random: SimRandom
  private readonly network: SimNetwork
  private readonly clock: SimClock
  private client: RemotingClient
  private host: string
  private count = 0
  /** Those that are expected, by id. */
  private readonly sent = new Map<string, Sent>()
  /** What the producer decided, once and for all. */
  private readonly decisions = new Map<string, number>()
  private readonly rolledBack = new Set<string>()
  private readonly got = new Set<string>()
  private readonly positions = new Map<number, number>()
  private readonly pops: PopTraffic

  constructor(parts: {
    readonly random: SimRandom
    readonly network: SimNetwork
    readonly clock: SimClock
    readonly host: string
    /** Whether what is acknowledged once stays so, whatever happens. Default: it does. */
    readonly keepsAcks?: () => boolean
  }) {
    this.random = parts.random
    this.network = parts.network
    this.clock = parts.clock
    this.host = parts.host
    this.client = this.newClient()
    const { random, keepsAcks = () => true } = parts
    this.pops = new PopTraffic({
      random,
      keepsAcks,
      now: () => parts.clock.now(),
      ask: (spec, header) => this.answer(this.ask(spec, header)),
    })
  }

  /** The broker is there anew, perhaps on another machine. A consumer that ran on asks at once where it was. */
  async begin(host: string, { runsOn }: { runsOn: boolean }): Promise<void> {
    this.host = host
    this.client = this.newClient()
    if (!runsOn) this.positions.clear()
    await this.beat()
    await this.consume(1)
  }

  close(): Promise<void> {
    return this.clock.until(this.client.close())
  }

  /** All that was acknowledged has come, to each group, and nothing that was rolled back. */
  check(): void {
    const expected = [...this.sent.values()].filter(({ isCommitted }) => isCommitted !== false).map(({ id }) => id)
    for (const id of expected) assert.ok(this.got.has(id), `${id} was acknowledged and never came`)
    this.pops.check(expected)
    for (const id of this.rolledBack) assert.ok(!this.got.has(id), `${id} was rolled back, and came`)
  }

  /** Nothing of it is promised any more. */
  forget(): void {
    this.sent.clear()
    this.rolledBack.clear()
    this.decisions.clear()
    this.pops.forget()
  }

  private newClient(): RemotingClient {
    const { clock, network } = this
    const check = route(checkTransactionState, (header, { body }) => {
      const id = readRecord(body)?.message.properties.get('UNIQ_KEY') ?? ''
      void this.decide(id, TransactionState.commit, { ...header, msgId: id }).catch(() => {})
      return noReply
    })
    return new RemotingClient({ ...simRuntime({ seed: 2, host: 'client', clock, network }), routes: [check] })
  }

  private ask(spec: Parameters<RemotingClient['request']>[1], header: object, body?: Uint8Array) {
    const address = `${this.network.addressOf(this.host)}:10911`
    const options = { timeoutMs: 20_000, ...(body && { body }) }
    return this.client.request(address, spec, header as never, options)
  }

  /** Undefined where nobody answered. */
  private async answer(asked: ReturnType<Traffic['ask']>) {
    try {
      return await this.clock.until(asked)
    } catch {
      return undefined
    }
  }

  async beat(): Promise<void> {
    const body = { clientID: 'c', consumerDataSet: [], producerDataSet: [{ groupName: 'p' }] }
    await this.answer(this.ask(heartBeat, {}, heartBeat.body!.encode(body)))
  }

  async send(): Promise<void> {
    const dice = this.random.int(4)
    const id = `${'dhtm'[dice]}${this.count++}`
    const kinds = [
      () => ({ DELAY: String(1 + this.random.int(4)) }),
      () => ({ TRAN_MSG: 'true', PGROUP: 'p', ...(this.random.chance(0.2) && { TIMER_DELAY_MS: '3000' }) }),
      () => ({ TIMER_DELAY_MS: String(1 + this.random.int(40_000)) }),
    ]
    const kind = kinds[dice]?.() ?? {}
    const header = {
      ...{ producerGroup: 'p', topic: 'T', defaultTopic: 'TBW102', defaultTopicQueueNums: queues.length },
      ...{ queueId: this.random.int(queues.length), sysFlag: dice === 1 ? TransactionState.prepared : 0, flag: 0 },
      ...{ bornTimestamp: this.clock.now(), reconsumeTimes: 0, unitMode: false, batch: false },
      properties: printProperties(Object.entries({ UNIQ_KEY: id, ...kind })),
    }
    const reply = await this.answer(this.ask(sendMessageV2, header, Buffer.alloc(this.random.int(2000), 'b')))
    if (reply?.code !== 0) return
    const sent: Sent = { id, isCommitted: undefined }
    this.sent.set(id, sent)
    if (dice !== 1 || this.random.chance(0.3)) return
    const verdict = this.random.chance(0.7) ? TransactionState.commit : TransactionState.rollback
    const { queueOffset } = reply.header as { queueOffset: number }
    const { msgId } = reply.header as { msgId: string }
    const commitLogOffset = Number.parseInt(msgId.slice(-16), 16)
    await this.answer(
      this.decide(id, verdict, { tranStateTableOffset: queueOffset, commitLogOffset, msgId: id }) as never,
    )
  }

  private async decide(
    id: string,
    wanted: number,
    place: { tranStateTableOffset: number; commitLogOffset: number; msgId: string },
  ): Promise<void> {
    // A producer does not change its mind.
    const commitOrRollback = this.decisions.get(id) ?? wanted
    this.decisions.set(id, commitOrRollback)
    const sent = this.sent.get(id)
    if (sent !== undefined) sent.isCommitted = commitOrRollback === TransactionState.commit
    if (commitOrRollback === TransactionState.rollback) this.rolledBack.add(id)
    await this.ask(endTransaction, {
      ...{ producerGroup: 'p', commitOrRollback, fromTransactionCheck: false, transactionId: id },
      tranStateTableOffset: place.tranStateTableOffset,
      commitLogOffset: place.commitLogOffset,
      msgId: id,
    })
  }

  /** A group that pops goes on a bit. */
  pop(): Promise<void> {
    return this.pops.step()
  }

  /** All that is left is popped and acknowledged. */
  async drain(): Promise<void> {
    for (let empty = 0; empty < 3; ) {
      await this.clock.advanceAsync(5000)
      empty = (await this.pops.drain()) ? 0 : empty + 1
    }
  }

  /** Pulls from where it is; what has come is committed a moment later, mostly. */
  async consume(pulls: number): Promise<void> {
    for (const queueId of queues) {
      for (let i = 0; i < pulls; i++) if (!(await this.pull(queueId))) break
      const offset = this.positions.get(queueId)
      if (offset !== undefined && this.random.chance(0.8))
        await this.answer(
          this.ask(updateConsumerOffset, { consumerGroup: group, topic: 'T', queueId, commitOffset: offset }),
        )
    }
  }

  /** False where there was nothing. */
  private async pull(queueId: number): Promise<boolean> {
    const place = { consumerGroup: group, topic: 'T', queueId }
    let offset = this.positions.get(queueId)
    if (offset === undefined) {
      const stands = await this.answer(this.ask(queryConsumerOffset, place))
      if (stands === undefined) return false
      offset = stands.code === 0 ? (stands.header as { offset: number }).offset : 0
    }
    const pulled = await this.answer(
      this.ask(pullMessage, {
        ...{ ...place, queueOffset: offset, maxMsgNums: 32, sysFlag: 4, commitOffset: 0 },
        ...{ suspendTimeoutMillis: 0, subscription: '*', subVersion: 1 },
      }),
    )
    if (pulled === undefined || ![0, 19, 20, 21].includes(pulled.code)) return false
    for (const { properties } of decodeRecords(pulled.body ?? Buffer.alloc(0)))
      this.got.add(properties.get('UNIQ_KEY') ?? '')
    const next = (pulled.header as { nextBeginOffset: number }).nextBeginOffset
    this.positions.set(queueId, next)
    return next !== offset
  }
}
