import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AdminSession, connect, demote, join, leave, promote, remainingAt, stopWrites } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import { bodies, Cluster } from './cluster.ts'
import { roleOf, sync } from './pair.ts'

const aMaster = { brokerRole: 'ASYNC_MASTER', brokerId: 0 } as const

function sessionOf(cluster: Cluster): AdminSession {
  const namesrvAddr = `${cluster.network.addressOf('names')}:9876`
  return connect({ namesrvAddr, runtime: cluster.machine('tools'), timeoutMs: 5000 })
}

/** A producer and a push consumer of our SDK; what was sent without an error, and what has come. */
class Traffic {
  readonly sent: string[] = []
  readonly errors: unknown[] = []
  readonly got = new Set<string>()
  private readonly cluster: Cluster
  private readonly producer: Producer
  private readonly consumer: PushConsumer

  constructor(cluster: Cluster) {
    const namesrvAddr = `${cluster.network.addressOf('names')}:9876`
    this.cluster = cluster
    this.producer = new Producer({ group: 'makers', namesrvAddr, runtime: cluster.machine('producer') })
    this.consumer = new PushConsumer({
      ...{ group: 'takers', namesrvAddr, runtime: cluster.machine('consumer') },
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    })
    this.consumer.subscribe('T').onMessage(message => {
      this.got.add(Buffer.from(message.body).toString())
    })
  }

  async start(): Promise<void> {
    await this.cluster.settle(this.consumer.start())
  }

  async close(): Promise<void> {
    await this.cluster.settle(Promise.all([this.producer.close(), this.consumer.close()]))
  }

  /** One message each half second. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      const body = `message ${this.sent.length + this.errors.length}`
      try {
        await this.cluster.settle(this.producer.send({ topic: 'T', body }))
        this.sent.push(body)
      } catch (error) {
        this.errors.push(error)
      }
      await this.cluster.pass(500)
    }
  }

  /** One-way: nobody hears what became of them. */
  async tell(count: number): Promise<string[]> {
    const told = Array.from({ length: count }, (_, i) => `one-way ${i}`)
    for (const body of told) await this.cluster.settle(this.producer.sendOneway({ topic: 'T', body }))
    return told
  }

  get missing(): string[] {
    return this.sent.filter(body => !this.got.has(body))
  }
}

describe('skua broker promote and demote', () => {
  test('change places, refuse what would lose something, and leave all as it was then', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master', sync)
    await cluster.startBroker('slave')
    await cluster.pass(35_000)
    assert.equal((await cluster.send('master', 'before')).code, 0)
    await cluster.pass(12_000)
    const session = sessionOf(cluster)
    const done = await cluster.settle(promote(session, { address: cluster.address('slave') }))
    assert.equal(done.demoted?.address, cluster.address('master'))
    assert.equal(done.promoted.logEnd, done.demoted?.logEnd)
    assert.deepEqual([await roleOf(cluster, 'slave'), await roleOf(cluster, 'master')], ['SYNC_MASTER', 'SLAVE'])
    await cluster.pass(10_000)
    assert.equal((await cluster.send('slave', 'after')).code, 0)
    cluster.network.partition('master', 'slave')
    await cluster.send('slave', 'only there')
    const refused = cluster.settle(promote(session, { address: cluster.address('master') }))
    await assert.rejects(refused, /the first one has the log until \d+, and it ends at \d+/)
    assert.equal(await roleOf(cluster, 'slave'), 'SYNC_MASTER')
    assert.equal((await cluster.send('slave', 'goes on')).code, 11)
    cluster.network.healAll()
    await cluster.pass(30_000)
    await cluster.settle(demote(session, { address: cluster.address('slave') }))
    assert.equal(await roleOf(cluster, 'slave'), 'SLAVE')
    await cluster.settle(promote(session, { address: cluster.address('master') }))
    const got = bodies((await cluster.pull('master')).body)
    assert.deepEqual(got, ['before', 'after', 'only there', 'goes on'])
    await cluster.settle(session.close())
    await cluster.stop()
  })
})

test('skua broker promote that does not hear of the new master leaves it alone', async () => {
  const cluster = await new Cluster().start()
  await cluster.startBroker('master')
  await cluster.startBroker('slave')
  await cluster.pass(35_000)
  const session = sessionOf(cluster)
  let failure: Error | undefined
  const promotion = promote(session, { address: cluster.address('slave') }).catch(error => {
    failure = error
  })
  const isBegun = () => cluster.events.some(({ fields }) => fields['to'] === 'ASYNC_MASTER')
  for (let i = 0; i < 2000 && !isBegun(); i++) await cluster.pass(10)
  cluster.network.partition('tools', 'slave')
  await cluster.pass(10_000)
  assert.equal((await cluster.send('slave', 'taken by the new master')).code, 0)
  await cluster.pass(120_000)
  await cluster.settle(promotion)
  assert.match(failure?.message ?? '', /was not made the master again: .*the master \S+ lives/)
  assert.equal(await roleOf(cluster, 'slave'), 'ASYNC_MASTER')
  assert.deepEqual(bodies((await cluster.pull('slave')).body), ['taken by the new master'])
  cluster.network.healAll()
  await cluster.settle(session.close())
  await cluster.stop()
})

describe('brokers come and go while clients run', () => {
  async function two(): Promise<{ cluster: Cluster; traffic: Traffic; session: AdminSession }> {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('further', { ...aMaster, brokerName: 'broker-b' })
    for (const role of ['master', 'further'] as const) await cluster.send(role, 'first')
    await cluster.pass(35_000)
    const traffic = new Traffic(cluster)
    await traffic.start()
    return { cluster, traffic, session: sessionOf(cluster) }
  }

  test('one that drains and leaves costs no error and no message, and one that joins like another gets its share', async () => {
    const { cluster, traffic, session } = await two()
    await traffic.run(5000)
    await cluster.settle(stopWrites(session, 'broker-b'))
    await traffic.run(40_000)
    const { logEnd } = await cluster.settle(remainingAt(session, 'broker-b'))
    await traffic.run(5000)
    const remaining = await cluster.settle(remainingAt(session, 'broker-b'))
    assert.deepEqual(remaining, { waiting: [], later: 0, logEnd })
    assert.deepEqual(await cluster.settle(leave(session, 'broker-b')), [cluster.address('further')])
    await traffic.run(2000)
    await cluster.stopBroker('further')
    await traffic.run(5000)
    await cluster.startBroker('slave', { ...aMaster, brokerName: 'broker-c' })
    const joined = await cluster.settle(join(session, { name: 'broker-c', like: 'broker-a', keys: ['maxMessageSize'] }))
    assert.ok(joined.topics.includes('T') && joined.groups.includes('takers'), JSON.stringify(joined))
    await traffic.run(45_000)
    assert.ok((await cluster.pull('slave')).code === 0, 'the new one has messages')
    await cluster.pass(30_000)
    assert.deepEqual([traffic.errors, traffic.missing], [[], []])
    await traffic.close()
    await cluster.settle(session.close())
    await cluster.stop()
  })

  test('one that is killed loses one-way sends that were under way; one that was drained before, none', async () => {
    for (const isDrained of [false, true]) {
      const { cluster, traffic, session } = await two()
      await traffic.run(2000)
      if (isDrained) {
        await cluster.settle(stopWrites(session, 'broker-b'))
        await cluster.pass(40_000)
      }
      // It is there no more, and its clients have not heard so.
      cluster.network.partition('producer', 'further')
      const told = await traffic.tell(20)
      cluster.network.reset('producer', 'further')
      await cluster.pass(10_000)
      const lost = told.filter(body => !traffic.got.has(body))
      if (isDrained) assert.deepEqual(lost, [])
      else assert.ok(lost.length > 0)
      await traffic.close()
      await cluster.settle(session.close())
      await cluster.stop()
    }
  })
})
