import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getConsumerListByGroup, ResponseCode, registerBroker, updateAndCreateTopic } from '@skua-mq/protocol'
import { ok, RemotingServer, route } from '@skua-mq/remoting'
import { delay, simRuntime } from '@skua-mq/runtime'
import { World } from '../world.ts'

/** What only the whole broker does: each part of it is tested where it is, that somebody calls it is not. */

test('a consumer that says nothing but goes on asking for other things is forgotten', async () => {
  const world = await new World().start()
  const consumer = world.client('consumer')
  const other = world.client('other')
  await consumer.consume('g', ['T'])
  assert.equal((await other.ask(getConsumerListByGroup, { consumerGroup: 'g' })).code, ResponseCode.success)
  for (let i = 0; i < 5; i++) {
    await world.pass(30_000)
    // Its connection is alive, its heartbeat is not.
    await consumer.send('T', String(i)).catch(() => {})
  }
  assert.equal((await other.ask(getConsumerListByGroup, { consumerGroup: 'g' })).code, ResponseCode.systemError)
  await world.stop()
})

test('a topic is answered for when the name servers know of it', async () => {
  const world = new World({ namesrvAddr: 'ns:9876' })
  const { clock, network } = world.runtime
  const known = new Set<string>()
  const names = new RemotingServer({
    ...simRuntime({ seed: 5, host: 'ns', clock, network }),
    name: 'ns',
    listen: [{ host: network.addressOf('ns'), port: 9876 }],
    routes: [
      route(registerBroker, async (_header, { body }) => {
        const { topicConfigTable } = registerBroker.body!.decode(body).topicConfigSerializeWrapper
        await delay(clock, 300)
        for (const topic of topicConfigTable.keys()) known.add(topic)
        return ok({})
      }),
    ],
  })
  await world.settle(names.start())
  await world.start()
  const tool = world.client('tool')
  await tool.ask(updateAndCreateTopic, {
    topic: 'Made',
    defaultTopic: 'TBW102',
    readQueueNums: 2,
    writeQueueNums: 2,
    perm: 6,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
  })
  assert.ok(known.has('Made'))
  await tool.send('Sent', 'one')
  assert.ok(known.has('Sent'))
  await world.stop()
  await world.settle(names.stop())
})
