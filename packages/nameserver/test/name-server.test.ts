import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineRequest, getRouteInfoByTopic, putKvConfig, registerBroker } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { EventHub, type SimRuntime, simRuntime } from '@skua-mq/runtime'
import { brokerGone, NameServer } from '../src/index.ts'
import { body, topic } from './brokers.ts'

function world() {
  const first = simRuntime({ seed: 1, host: 'ns1' })
  const shared = { clock: first.clock, network: first.network }
  const host = (name: string, events?: EventHub) =>
    simRuntime({ seed: 2, host: name, ...shared, ...(events === undefined ? {} : { events }) })
  return { clock: first.clock, network: first.network, host }
}

function serverOn(runtime: SimRuntime) {
  return new NameServer({
    runtime,
    listen: { host: '0.0.0.0', port: 9876 },
    kvConfigPath: '/ns/kvConfig.json',
    orderMessageEnable: true,
    // Which takes a broker with one topic.
    dialect: '4.9',
  })
}

const registering = {
  brokerName: 'b1',
  brokerAddr: '10.0.0.1:10911',
  clusterName: 'c1',
  brokerId: 0,
  haServerAddr: '10.0.0.1:10912',
  compressed: false,
  bodyCrc32: 0,
}
const topics = { body: registerBroker.body!.encode(body([topic('T')])) }

test('a broker registers, is found, and is gone at once when its connection closes', async () => {
  const { clock, network, host } = world()
  const events = new EventHub()
  const gone: unknown[] = []
  events.subscribe(event => event.name === brokerGone.eventName && gone.push(event.fields))
  const server = serverOn(host('ns1', events))
  await clock.until(server.start())
  const address = `${network.addressOf('ns1')}:9876`
  const broker = new RemotingClient(host('broker'))
  const client = new RemotingClient(host('client'))
  const found = async () => (await clock.until(client.request(address, getRouteInfoByTopic, { topic: 'T' }))).code
  assert.equal(await found(), 17)
  assert.equal((await clock.until(broker.request(address, registerBroker, registering, topics))).code, 0)
  assert.equal(await found(), 0)
  await clock.until(broker.close())
  await clock.advanceAsync(10)
  assert.equal(await found(), 17)
  assert.deepEqual(gone, [{ brokerAddr: '10.0.0.1:10911', why: 'its connection closed' }])
  await clock.until(client.close())
  await clock.until(server.stop())
})

test('a broker that is silent for 120 s is dropped by the next scan though its machine never hung up', async () => {
  const { clock, network, host } = world()
  const server = serverOn(host('ns1'))
  await clock.until(server.start())
  const address = `${network.addressOf('ns1')}:9876`
  const broker = new RemotingClient(host('broker'))
  const client = new RemotingClient(host('client'))
  await clock.until(broker.request(address, registerBroker, registering, topics))
  const found = async () => (await clock.until(client.request(address, getRouteInfoByTopic, { topic: 'T' }))).code
  network.drop('broker', { announce: false })
  await clock.advanceAsync(115_000)
  assert.equal(await found(), 0)
  await clock.advanceAsync(16_000)
  assert.equal(await found(), 17)
  await clock.until(client.close())
  await clock.until(server.stop())
})

test('an unknown request code is answered with 3, where 4.9 leaves the asker waiting', async () => {
  const { clock, network, host } = world()
  const server = serverOn(host('ns1'))
  await clock.until(server.start())
  const client = new RemotingClient(host('client'))
  const unknown = defineRequest({ name: 'NO_SUCH_REQUEST', code: 9999, direction: 'test', section: '-' })
  const reply = await clock.until(client.request(`${network.addressOf('ns1')}:9876`, unknown, {}))
  assert.equal(reply.code, 3)
  await clock.until(client.close())
  await clock.until(server.stop())
})

test('order topics survive a restart of the name server, routes do not', async () => {
  const { clock, network, host } = world()
  const runtime = host('ns1')
  const address = `${network.addressOf('ns1')}:9876`
  const client = new RemotingClient(host('client'))
  const register = () => clock.until(client.request(address, registerBroker, registering, topics))
  const route = () => clock.until(client.request(address, getRouteInfoByTopic, { topic: 'T' }))
  let server = serverOn(runtime)
  await clock.until(server.start())
  await register()
  await clock.until(client.request(address, putKvConfig, { namespace: 'ORDER_TOPIC_CONFIG', key: 'T', value: 'b1:4' }))
  await clock.until(server.stop())
  await clock.advanceAsync(10)
  server = serverOn(runtime)
  await clock.until(server.start())
  assert.equal((await route()).code, 17)
  const reply = await register()
  assert.equal(Buffer.from(reply.body!).toString(), '{"table":{"T":"b1:4"}}')
  assert.equal(getRouteInfoByTopic.replyBody!.decode((await route()).body!).orderTopicConf, 'b1:4')
  await clock.until(client.close())
  await clock.until(server.stop())
})

test('two name servers in one process share nothing', async () => {
  const { clock, network, host } = world()
  const servers = [serverOn(host('ns1')), serverOn(host('ns2'))]
  for (const server of servers) await clock.until(server.start())
  const client = new RemotingClient(host('client'))
  const at = (name: string) => `${network.addressOf(name)}:9876`
  await clock.until(client.request(at('ns1'), registerBroker, registering, topics))
  assert.equal((await clock.until(client.request(at('ns1'), getRouteInfoByTopic, { topic: 'T' }))).code, 0)
  assert.equal((await clock.until(client.request(at('ns2'), getRouteInfoByTopic, { topic: 'T' }))).code, 17)
  await clock.until(client.close())
  for (const server of servers) await clock.until(server.stop())
})
