import { Broker, type BrokerConfig, brokerOptions } from '@skua-mq/broker'
import { NameServer } from '@skua-mq/nameserver'
import {
  type BodyOf,
  type Command,
  checkTransactionState,
  type DialectName,
  decodeFrame,
  encodeFrame,
  FrameParser,
  getConsumerConnectionList,
  HeaderForm,
  type HeaderOf,
  heartBeat,
  pullMessage,
  type RequestSpec,
  readRecord,
  sendBatchMessage,
  sendMessageV2,
  subscriptionData,
  updateBrokerConfig,
  writeFields,
} from '@skua-mq/protocol'
import { noReply, RemotingClient, route, type TypedReply } from '@skua-mq/remoting'
import { configOf, MemoryDisk, type SimRuntime, simRuntime } from '@skua-mq/runtime'

type AnySpec = RequestSpec<never, never, never, never> | RequestSpec

const pauseMs = 500

/** A name server and a broker of one dialect, on simulated machines, and one client. */
export class Place {
  readonly dialect: DialectName
  private readonly first = simRuntime({ seed: 1, host: 'names' })
  private readonly names: NameServer
  private broker!: Broker
  private readonly client: RemotingClient
  /** What the client was asked of half messages, and when; it says nothing. */
  readonly checks: { readonly topic: string | undefined; readonly atMs: number }[] = []

  constructor(dialect: DialectName) {
    this.dialect = dialect
    const listen = { host: '0.0.0.0', port: 9876 }
    const names = { runtime: this.first, listen, kvConfigPath: '/names/kv.json', orderMessageEnable: false }
    this.names = new NameServer({ ...names, dialect })
    const asked = route(checkTransactionState, ({ topic }) => {
      this.checks.push({ topic, atMs: this.clock.now() })
      return noReply
    })
    this.client = new RemotingClient({ ...this.machine('client'), routes: [asked], version: 409 })
  }

  get clock() {
    return this.first.clock
  }

  private machine(host: string): SimRuntime {
    return simRuntime({ seed: 2, host, clock: this.first.clock, network: this.first.network })
  }

  get brokerAddr(): string {
    return this.broker.brokerAddr
  }

  private address(of: 'broker' | 'names'): string {
    return `${this.first.network.addressOf(of)}:${of === 'names' ? 9876 : 10911}`
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.clock.until(promise)
  }

  pass(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms)
  }

  /** `accounts`: what stands in plain_acl.yml; default: nobody is asked who he is. */
  async start(changes: Partial<BrokerConfig> = {}, accounts?: string): Promise<this> {
    await this.settle(this.names.start())
    const runtime = this.machine('broker')
    const homeDisk = new MemoryDisk({ clock: this.clock })
    if (accounts !== undefined) {
      homeDisk.makeDirectory('/home/conf')
      homeDisk.writeFile('/home/conf/plain_acl.yml', Buffer.from(accounts))
    }
    const config = configOf(brokerOptions, {
      ...{ storePathRootDir: '/store', mappedFileSizeCommitLog: 1024 * 1024, mappedFileSizeConsumeQueue: 6000 },
      ...{ maxHashSlotNum: 50, maxIndexNum: 100, brokerName: 'broker-a', dialect: this.dialect },
      ...(accounts === undefined ? {} : { aclEnable: true, rocketmqHome: '/home' }),
      namesrvAddr: this.address('names'),
      ...changes,
    })
    const facts = { pid: 1, bootId: 'boot', startedAt: () => undefined, lockHolder: () => undefined }
    this.broker = new Broker({ config, runtime, facts, totalMemoryBytes: 2 ** 30, homeDisk })
    await this.settle(this.broker.start())
    return this
  }

  async stop(): Promise<void> {
    await this.settle(this.client.close())
    await this.settle(this.broker.stop())
    await this.settle(this.names.stop())
  }

  ask<Q extends AnySpec>(
    spec: Q,
    header: HeaderOf<Q>,
    body?: BodyOf<Q> | Uint8Array,
    of: 'broker' | 'names' = 'broker',
  ) {
    const bytes = body instanceof Uint8Array || body === undefined ? body : (spec as RequestSpec).body!.encode(body)
    return this.settle(
      this.client.request(this.address(of), spec, header, { body: bytes as Uint8Array, timeoutMs: 60_000 }),
    )
  }

  /** The frame of the answer, as it came. */
  async raw<Q extends AnySpec>(
    spec: Q,
    header: HeaderOf<Q>,
    { of = 'broker' as 'broker' | 'names', form = HeaderForm.json as HeaderForm, version = 409 } = {},
  ): Promise<Command> {
    const [host = '', port = ''] = this.address(of).split(':')
    const socket = await this.settle(this.machine('raw').net.connect({ host, port: Number(port) }))
    const answers: Command[] = []
    const parser = new FrameParser()
    const data = (chunk: Uint8Array) =>
      parser.push(Buffer.from(chunk), (bytes, start, end) => {
        answers.push(decodeFrame(Buffer.from(bytes.subarray(start, end)), 0, end - start))
      })
    socket.start({ data, drained: () => {}, closed: () => {} })
    const extFields = writeFields((spec as RequestSpec).header, header as never)
    const command = { code: (spec as RequestSpec).code, language: 0, version, opaque: 1, flag: 0, extFields, form }
    socket.write([encodeFrame(command)])
    await this.pass(pauseMs)
    socket.destroy()
    const [reply] = answers
    if (reply === undefined) throw new Error('there is no answer')
    return reply
  }

  send(
    topic: string,
    further: { properties?: Record<string, string>; queueId?: number; sysFlag?: number; reconsumeTimes?: number } = {},
  ) {
    return this.ask(sendMessageV2, this.sendHeader(topic, further), Buffer.from('body'))
  }

  sendBatch(topic: string, batch: Uint8Array, properties: Record<string, string>) {
    return this.ask(sendBatchMessage, { ...this.sendHeader(topic, { properties }), batch: true }, batch)
  }

  private sendHeader(
    topic: string,
    {
      properties = {},
      queueId = 0,
      sysFlag = 0,
      reconsumeTimes = 0,
    }: { properties?: Record<string, string>; queueId?: number; sysFlag?: number; reconsumeTimes?: number },
  ) {
    return {
      ...{ producerGroup: 'p', topic, defaultTopic: 'TBW102', defaultTopicQueueNums: 1, queueId, sysFlag },
      ...{ bornTimestamp: this.clock.now(), flag: 0, reconsumeTimes, unitMode: false, batch: false },
      properties: Object.entries(properties)
        .map(([name, value]) => `${name}\u0001${value}\u0002`)
        .join(''),
      ...(reconsumeTimes > 0 ? { maxReconsumeTimes: 3 } : {}),
    }
  }

  pull(topic: string, queueId = 0) {
    return this.ask(pullMessage, {
      ...{ consumerGroup: 'g', topic, queueId, queueOffset: 0, maxMsgNums: 32, sysFlag: 4, commitOffset: 0 },
      ...{ suspendTimeoutMillis: 0, subVersion: 1, subscription: '*', expressionType: 'TAG' },
    })
  }

  /** The properties texts of what is stored in queue 0 of a topic, with `=` and `;` for the separators. */
  async texts(topic: string): Promise<string[]> {
    const { body } = await this.pull(topic)
    const texts: string[] = []
    for (let rest = body ?? new Uint8Array(0); rest.length > 0; ) {
      const size = Buffer.from(rest.buffer, rest.byteOffset, 4).readInt32BE(0)
      const record = Buffer.from(rest.subarray(0, size))
      const { body: inside } = readRecord(record)!.message
      const topicAt = 88 + inside.length
      const textAt = topicAt + 1 + record.readUInt8(topicAt)
      const text = record.toString('utf8', textAt + 2, textAt + 2 + record.readInt16BE(textAt))
      texts.push(text.replaceAll('\u0001', '=').replaceAll('\u0002', ';'))
      rest = rest.subarray(size)
    }
    return texts
  }

  /** A message with these properties, as it is stored. */
  async stored(properties: Record<string, string> = {}): Promise<string> {
    await this.send('Stored', { properties })
    return (await this.texts('Stored')).at(-1) ?? ''
  }

  beat(
    group: string,
    further: { heartbeatFingerprint?: number; withoutSub?: boolean } = {},
  ): Promise<TypedReply<typeof heartBeat>> {
    const consumer = {
      ...{ groupName: group, consumeType: 'CONSUME_PASSIVELY' as const, messageModel: 'CLUSTERING' as const },
      ...{ consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET' as const, unitMode: false },
      subscriptionDataSet:
        further.withoutSub === true ? [] : [subscriptionData({ topic: 'Stored', expression: '*', subVersion: 1 })!],
    }
    const body = { clientID: 'c', consumerDataSet: [consumer], producerDataSet: [{ groupName: 'p' }], ...further }
    return this.ask(heartBeat, {}, body as BodyOf<typeof heartBeat>)
  }

  /** What the members of a group want, for tools. */
  async subscribed(consumerGroup: string): Promise<string[]> {
    const { body } = await this.ask(getConsumerConnectionList, { consumerGroup })
    return [...getConsumerConnectionList.replyBody!.decode(body!).subscriptionTable.keys()]
  }

  async setOption(key: string, value: string): Promise<void> {
    await this.ask(updateBrokerConfig, {}, Buffer.from(`${key}=${value}\n`))
  }
}
