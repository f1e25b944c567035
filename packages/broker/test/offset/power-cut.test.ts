import assert from 'node:assert/strict'
import test from 'node:test'
import { decodeRecords, pullMessage, queryConsumerOffset, sendMessageV2, updateConsumerOffset } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { configOf, SimClock, SimMachine, SimNetwork, SimRandom, simRuntime } from '@skua-mq/runtime'
import { Broker, brokerOptions } from '../../src/index.ts'

const queue = { consumerGroup: 'g', topic: 'T', queueId: 0 }

/** A broker whose machine may lose its power, and a client. */
class Place {
  readonly clock = new SimClock()
  private readonly random: SimRandom
  private readonly network: SimNetwork
  private readonly machine: SimMachine
  private client: RemotingClient
  private boots = 0

  constructor(seed: number) {
    this.random = new SimRandom(seed)
    this.network = new SimNetwork({ clock: this.clock, random: this.random.fork() })
    this.machine = new SimMachine({ clock: this.clock, network: this.network, random: this.random }, 'broker')
    this.client = this.newClient()
  }

  private newClient(): RemotingClient {
    const { clock, network } = this
    return new RemotingClient(simRuntime({ seed: 2, host: 'client', clock, network }))
  }

  async boot(): Promise<Broker> {
    const config = configOf(brokerOptions, {
      ...{ storePathRootDir: '/store', mappedFileSizeCommitLog: 1024 * 1024, mappedFileSizeConsumeQueue: 6000 },
      ...{ maxHashSlotNum: 50, maxIndexNum: 100, defaultTopicQueueNums: 1 },
      // Which takes offsets of groups that nobody has made.
      dialect: '4.9',
    })
    const bootId = `boot ${++this.boots}`
    const facts = { pid: 1, bootId, startedAt: () => undefined, lockHolder: () => undefined }
    const broker = new Broker({ config, runtime: this.machine.boot(), facts, totalMemoryBytes: 2 ** 30 })
    await this.clock.until(broker.start())
    return broker
  }

  /** The client hears nothing of it; a new one takes its place. */
  async powerCut(): Promise<void> {
    this.machine.powerCut()
    await this.end()
    this.client = this.newClient()
  }

  ask(spec: Parameters<RemotingClient['request']>[1], header: object, body?: Buffer) {
    const address = `${this.network.addressOf('broker')}:10911`
    const options = { timeoutMs: 60_000, ...(body && { body }) }
    return this.clock.until(this.client.request(address, spec, header as never, options))
  }

  async send(count: number, what: string): Promise<void> {
    for (let i = 0; i < count; i++) {
      const header = {
        ...{ producerGroup: 'p', topic: 'T', defaultTopic: 'TBW102', defaultTopicQueueNums: 1, queueId: 0, sysFlag: 0 },
        ...{ bornTimestamp: 1, flag: 0, properties: '', reconsumeTimes: 0, unitMode: false, batch: false },
      }
      assert.equal((await this.ask(sendMessageV2, header, Buffer.from(`${what}${i}`))).code, 0)
    }
  }

  /** As a consumer that runs on from an offset, or begins where its group stands. Answers what it gets. */
  async consume(from?: number): Promise<string[]> {
    const at = await this.ask(queryConsumerOffset, queue)
    let offset = from ?? (at.header as { offset: number }).offset
    const got: string[] = []
    for (let pulls = 0; pulls < 3; pulls++) {
      const pulled = await this.ask(pullMessage, {
        ...{ ...queue, queueOffset: offset, maxMsgNums: 32, sysFlag: 4, commitOffset: 0 },
        ...{ suspendTimeoutMillis: 0, subscription: '*', subVersion: 1 },
      })
      offset = (pulled.header as { nextBeginOffset: number }).nextBeginOffset
      for (const { body } of decodeRecords(pulled.body ?? Buffer.alloc(0))) got.push(Buffer.from(body).toString())
    }
    return got
  }

  end(): Promise<void> {
    return this.clock.until(this.client.close())
  }
}

test('a group that was ahead of what a power cut left of the log gets all that is sent from then on', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const place = new Place(seed)
    await place.boot()
    await place.send(5, 'synced ')
    await place.clock.advanceAsync(2000)
    await place.send(5, 'late ')
    await place.ask(updateConsumerOffset, { ...queue, commitOffset: 10 })
    // The offset is on the medium by then; a few messages of an asynchronous flush are not.
    await place.clock.advanceAsync(6000)
    await place.powerCut()
    const broker = await place.boot()
    await place.send(3, 'new ')
    const got = await place.consume(seed % 2 === 0 ? 10 : undefined)
    assert.deepEqual(
      got.filter(body => body.startsWith('new')),
      ['new 0', 'new 1', 'new 2'],
      `seed ${seed}`,
    )
    await place.end()
    await place.clock.until(broker.stop())
  }
})
