import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Broker, brokerOptions } from '@skua-mq/broker'
import { Admin } from '@skua-mq/client'
import { configOf, MemoryDisk, NodeProcessFacts, nodeRuntime } from '@skua-mq/runtime'
import { startFilterProcess } from '../../src/filter-process.ts'
import { freePorts, type Standalone, startStandalone } from '../../src/index.ts'
import { bodiesOf, Caller, consumerOf, receiveOf, sendOf } from './caller.ts'

describe('a gateway before two brokers, one of which goes away', () => {
  let skua: Standalone
  let other: Broker
  let caller: Caller

  before(async () => {
    skua = await startStandalone({ store: 'memory', port: 0, grpcPort: 0, config: { brokerName: 'broker-b' } })
    const runtime = nodeRuntime()
    const { broker: listenPort } = await freePorts(runtime.net, '127.0.0.1')
    other = new Broker({
      config: configOf(brokerOptions, {
        ...{ brokerName: 'broker-a', brokerIP1: '127.0.0.1', listenPort, namesrvAddr: skua.namesrvAddr },
        storePathRootDir: '/memory',
      }),
      runtime: { ...runtime, disk: new MemoryDisk() },
      ...{ facts: new NodeProcessFacts(), homeDisk: runtime.disk, bindAddress: '127.0.0.1' },
      ...{ totalMemoryBytes: 2 ** 32, storeAddress: '127.0.0.1', startFilterProcess },
    })
    await other.start()
    await using admin = new Admin({ namesrvAddr: skua.namesrvAddr })
    await admin.createTopic('Two', { queueNum: 1 })
    caller = new Caller(skua.grpcAddr!, { clientId: 'two' })
  })

  after(async () => {
    caller?.close()
    await skua?.stop()
  })

  test('the route has both; the one that is left serves when the first is gone, though the route still names it', async () => {
    const { messageQueues } = await caller.ask('QueryRoute', { topic: { name: 'Two' } })
    assert.deepEqual(messageQueues.map(({ broker }: { broker: { name: string } }) => broker.name).sort(), [
      'broker-a',
      'broker-b',
    ])
    await other.stop()
    const settings = consumerOf('Two', 'G_two')
    const stream = await caller.settle(settings)
    assert.ok(stream.answers[0]?.settings !== undefined)
    assert.equal((await caller.ask('Heartbeat', {})).status.code, 20_000)
    const codes: number[] = []
    for (let i = 0; i < 8; i++) codes.push((await caller.ask('SendMessage', sendOf('Two', `m${i}`))).status.code)
    assert.ok(codes.filter(code => code === 20_000).length >= 7, `${codes}`)
    for (const broker of [{ name: 'broker-b' }, undefined, { name: 'unknown' }]) {
      const messageQueue = { topic: { name: 'Two' }, id: -1, broker }
      const group = `G_${broker?.name}`
      const open = caller.open('ReceiveMessage', receiveOf('Two', group, { messageQueue }))
      open.stream.end()
      await open.ended
      assert.equal(
        bodiesOf(open.answers).length,
        codes.filter(code => code === 20_000).length,
        `${broker?.name}: ${JSON.stringify(open.answers[0])}`,
      )
    }
    const { status } = await caller.ask('QueryAssignment', { topic: { name: 'Two' }, group: { name: 'G_new' } })
    assert.equal(status.code, 20_000)
  })
})
