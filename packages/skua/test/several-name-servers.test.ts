import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { NameServer } from '@skua-mq/nameserver'
import { Cluster } from './cluster.ts'

/** A second name server beside the cluster's own. */
function further(cluster: Cluster): NameServer {
  return new NameServer({
    runtime: cluster.machine('more-names'),
    listen: { host: '0.0.0.0', port: 9876 },
    kvConfigPath: '/names/kvConfig.json',
    orderMessageEnable: false,
  })
}

test('clients and brokers go on when one of two name servers dies, and when it comes back with nothing while the other one dies', async () => {
  const cluster = await new Cluster().start()
  let second = further(cluster)
  await cluster.settle(second.start())
  const addresses = ['more-names', 'names'].map(host => `${cluster.network.addressOf(host)}:9876`)
  const namesrvAddr = addresses.join(';')
  await cluster.startBroker('master', { namesrvAddr })
  const got = new Set<string>()
  const consumer = new PushConsumer({
    ...{ group: 'takers', namesrvAddr, runtime: cluster.machine('consumer') },
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  })
  consumer.subscribe('T').onMessage(message => {
    got.add(Buffer.from(message.body).toString())
  })
  const producer = new Producer({ group: 'makers', namesrvAddr, runtime: cluster.machine('producer') })
  const sent: string[] = []
  const send = async (body: string) => {
    await cluster.settle(producer.send({ topic: 'T', body }))
    sent.push(body)
    await cluster.pass(2000)
  }
  await cluster.send('master', 'makes the topic')
  await cluster.settle(consumer.start())
  await send('both are there')
  await cluster.settle(second.stop())
  for (let i = 0; i < 20; i++) await send(`one is gone ${i}`)
  second = further(cluster)
  await cluster.settle(second.start())
  // It knows nothing until the broker has told it, which takes some seconds; clients go on with what they know.
  for (let i = 0; i < 5; i++) await send(`it is back with nothing ${i}`)
  cluster.network.partition('names', 'producer')
  cluster.network.partition('names', 'consumer')
  cluster.network.partition('names', 'master')
  for (let i = 0; i < 20; i++) await send(`the other one is gone ${i}`)
  const late = new Producer({ group: 'late', namesrvAddr, runtime: cluster.machine('late') })
  cluster.network.partition('names', 'late')
  await cluster.settle(late.send({ topic: 'T', body: 'by one who comes now' }))
  await cluster.pass(5000)
  assert.deepEqual(
    sent.filter(body => !got.has(body)),
    [],
  )
  assert.ok(got.has('by one who comes now'))
  cluster.network.healAll()
  await cluster.settle(Promise.all([late.close(), producer.close(), consumer.close()]))
  await cluster.settle(second.stop())
  await cluster.stop()
})
