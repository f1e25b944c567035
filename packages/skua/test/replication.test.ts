import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Broker, type BrokerConfig, brokerOptions } from '@skua-mq/broker'
import { NameServer } from '@skua-mq/nameserver'
import {
  getBrokerClusterInfo,
  getTopicConfig,
  pullMessage,
  queryConsumerOffset,
  sendMessageV2,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { configOf, type Event, EventHub, type SimRuntime, simRuntime } from '@skua-mq/runtime'

const small = {
  storePathRootDir: '/store',
  mappedFileSizeCommitLog: 64 * 1024,
  mappedFileSizeConsumeQueue: 6000,
  maxHashSlotNum: 50,
  maxIndexNum: 100,
  brokerName: 'broker-a',
}

type Role = 'master' | 'slave'

/** A name server, a master and its slave, each on a machine of its own, and a client. */
class Cluster {
  readonly events: Event[] = []
  private readonly first = simRuntime({ seed: 1, host: 'names' })
  private readonly machines = new Map<Role, SimRuntime>()
  private readonly brokers = new Map<Role, Broker>()
  private readonly names: NameServer
  private readonly client: RemotingClient

  constructor() {
    this.names = new NameServer({
      runtime: this.first,
      listen: { host: '0.0.0.0', port: 9876 },
      kvConfigPath: '/names/kvConfig.json',
      orderMessageEnable: false,
    })
    this.client = new RemotingClient(this.machine('client'))
  }

  private machine(host: string): SimRuntime {
    const events = new EventHub()
    events.subscribe(event => this.events.push(event))
    return simRuntime({ seed: 2, host, events, clock: this.first.clock, network: this.first.network })
  }

  get clock() {
    return this.first.clock
  }

  get network() {
    return this.first.network
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.clock.until(promise)
  }

  async start(): Promise<this> {
    await this.settle(this.names.start())
    return this
  }

  /** On the machine of the role, whose disk stays. */
  async startBroker(role: Role, changes: Partial<BrokerConfig> = {}): Promise<void> {
    const runtime = this.machines.get(role) ?? this.machine(role)
    this.machines.set(role, runtime)
    const own = role === 'slave' ? { brokerRole: 'SLAVE', brokerId: 1 } : {}
    const namesrvAddr = `${this.network.addressOf('names')}:9876`
    const config = configOf(brokerOptions, { ...small, ...own, namesrvAddr, ...changes } as Partial<BrokerConfig>)
    const facts = { pid: 1, bootId: role, startedAt: () => undefined, lockHolder: () => undefined }
    const broker = new Broker({ config, runtime, facts, totalMemoryBytes: 2 ** 30 })
    await this.settle(broker.start())
    this.brokers.set(role, broker)
  }

  async stopBroker(role: Role): Promise<void> {
    const broker = this.brokers.get(role)
    this.brokers.delete(role)
    if (broker !== undefined) await this.settle(broker.stop())
  }

  async stop(): Promise<void> {
    await this.settle(this.client.close())
    for (const role of [...this.brokers.keys()]) await this.stopBroker(role)
    await this.settle(this.names.stop())
  }

  pass(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms)
  }

  address(role: Role): string {
    return `${this.network.addressOf(role)}:10911`
  }

  send(role: Role, body: string, further: { topic?: string; properties?: string } = {}) {
    const header = {
      ...{ producerGroup: 'p', topic: 'T', defaultTopic: 'TBW102', defaultTopicQueueNums: 1, queueId: 0, sysFlag: 0 },
      ...{ bornTimestamp: this.clock.now(), flag: 0, properties: '', reconsumeTimes: 0, unitMode: false, batch: false },
      ...further,
    }
    const options = { body: Buffer.from(body), timeoutMs: 20_000 }
    return this.settle(this.client.request(this.address(role), sendMessageV2, header, options))
  }

  async pull(role: Role, offset = 0, topic = 'T') {
    const header = { consumerGroup: 'g', topic, queueId: 0, queueOffset: offset, maxMsgNums: 32, sysFlag: 4 }
    const further = {
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subVersion: 1,
      subscription: '*',
      expressionType: 'TAG',
    }
    return this.settle(this.client.request(this.address(role), pullMessage, { ...header, ...further }))
  }

  ask<Q extends Parameters<RemotingClient['request']>[1]>(role: Role | 'names', spec: Q, header: never) {
    const address = role === 'names' ? `${this.network.addressOf('names')}:9876` : this.address(role)
    return this.settle(this.client.request(address, spec, header))
  }
}

const bodies = (records: Uint8Array | undefined): string[] => {
  const bytes = Buffer.from(records ?? [])
  const all: string[] = []
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at)) {
    const length = bytes.readInt32BE(at + 84)
    all.push(bytes.toString('utf8', at + 88, at + 88 + length))
  }
  return all
}

describe('a slave', () => {
  test('has the messages, topics, groups and offsets of its master, is in the route, and is read when it may be', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave', { slaveReadEnable: true })
    for (let i = 0; i < 5; i++) assert.equal((await cluster.send('master', `message ${i}`)).code, 0)
    await cluster.pull('master')
    const place = { consumerGroup: 'g', topic: 'T', queueId: 0 }
    await cluster.ask('master', updateConsumerOffset, { ...place, commitOffset: 3 } as never)
    await cluster.pass(35_000)
    const pulled = await cluster.pull('slave')
    assert.deepEqual(bodies(pulled.body), ['message 0', 'message 1', 'message 2', 'message 3', 'message 4'])
    assert.equal((await cluster.ask('slave', getTopicConfig, { topic: 'T' } as never)).code, 0)
    const offset = await cluster.ask('slave', queryConsumerOffset, place as never)
    assert.equal((offset.header as { offset: number }).offset, 3)
    const info = await cluster.ask('names', getBrokerClusterInfo, {} as never)
    const table = getBrokerClusterInfo.replyBody!.decode(info.body!).brokerAddrTable
    assert.deepEqual([...(table.get('broker-a')?.brokerAddrs.keys() ?? [])].sort(), [0, 1])
    await cluster.stop()
  })

  test('takes no messages of its own, makes no topics for them, and sends readers to its master', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.send('master', 'there')
    await cluster.pass(35_000)
    const refused = await cluster.send('slave', 'mine')
    assert.equal(refused.code, 14)
    assert.match(refused.remark ?? '', /SLAVE/)
    assert.equal((await cluster.send('slave', 'mine', { topic: 'New' })).code, 14)
    assert.equal((await cluster.ask('slave', getTopicConfig, { topic: 'New' } as never)).code, 17)
    const sentAway = await cluster.pull('slave')
    assert.equal(sentAway.code, 20)
    assert.deepEqual([sentAway.header.nextBeginOffset, sentAway.header.suggestWhichBrokerId], [0, 0])
    await cluster.stop()
  })

  test('is a master after a start as one: delayed messages that were not due go on', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.send('master', 'before', { properties: 'DELAY\x011' })
    await cluster.pass(15_000)
    await cluster.send('master', 'late', { properties: 'DELAY\x015' })
    await cluster.pass(20_000)
    await cluster.stopBroker('master')
    await cluster.stopBroker('slave')
    await cluster.startBroker('slave', { brokerRole: 'ASYNC_MASTER', brokerId: 0 })
    await cluster.pass(60_000)
    const pulled = await cluster.pull('slave')
    // What was delivered long before is not delivered again.
    assert.deepEqual(bodies(pulled.body), ['before', 'late'])
    assert.equal((await cluster.send('slave', 'new')).code, 0)
    await cluster.stop()
  })

  test('that is ahead of its master stays apart, and both say why', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('slave', { brokerRole: 'ASYNC_MASTER', brokerId: 0 })
    await cluster.send('slave', 'a log of its own')
    await cluster.stopBroker('slave')
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.pass(40_000)
    const reasons = cluster.events
      .filter(event => /slave is gone/.test(event.name))
      .map(({ fields }) => fields['reason'])
    assert.match(String(reasons[0]), /the slave's log ends at \d+, this one at 0/)
    await cluster.stop()
  })

  test('goes on where it was after either end was away', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave', { slaveReadEnable: true })
    let sent = 0
    const send = async () => assert.equal((await cluster.send('master', `message ${sent++}`)).code, 0)
    await send()
    await cluster.pass(35_000)
    await cluster.stopBroker('slave')
    await send()
    await cluster.startBroker('slave', { slaveReadEnable: true })
    await cluster.pass(10_000)
    await cluster.stopBroker('master')
    await cluster.startBroker('master')
    await send()
    await cluster.pass(40_000)
    await send()
    await cluster.pass(1000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['message 0', 'message 1', 'message 2', 'message 3'])
    await cluster.stop()
  })
})

describe('SYNC_MASTER', () => {
  const config = { brokerRole: 'SYNC_MASTER' } as const

  test('answers 11 without a slave, 0 when one has the message, 12 when it does not say so in time', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master', config)
    assert.equal((await cluster.send('master', 'alone')).code, 11)
    await cluster.startBroker('slave', { slaveReadEnable: true })
    await cluster.pass(35_000)
    const begun = cluster.clock.monotonic()
    assert.equal((await cluster.send('master', 'together')).code, 0)
    assert.ok(cluster.clock.monotonic() - begun < 100)
    assert.equal((await cluster.send('master', 'not waited for', { properties: 'WAIT\x01false' })).code, 0)
    cluster.network.partition('master', 'slave')
    const waited = cluster.clock.monotonic()
    assert.equal((await cluster.send('master', 'cut off')).code, 12)
    assert.ok(cluster.clock.monotonic() - waited >= 3000)
    await cluster.pass(25_000)
    assert.equal((await cluster.send('master', 'alone again')).code, 11)
    cluster.network.healAll()
    await cluster.pass(40_000)
    assert.equal((await cluster.send('master', 'together again')).code, 0)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), [
      ...['alone', 'together', 'not waited for', 'cut off', 'alone again', 'together again'],
    ])
    await cluster.stop()
  })
})
