import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heartBeat, ResponseCode } from '@skua-mq/protocol'
import { noReply, ok, RemotingServer, type Route, refuse, route } from '@skua-mq/remoting'
import { simRuntime } from '@skua-mq/runtime'
import { Producer, PushConsumer } from '../../src/index.ts'
import { type World, world } from '../scripted-cluster.ts'

const consumerOf = ({ runtime, namesrvAddr }: World) =>
  new PushConsumer({ runtime, namesrvAddr, group: 'cg', logger: false }).subscribe('T').onMessage(() => {})

async function waitingFor(at: World, ms: number): Promise<{ code: unknown; took: number }> {
  const consumer = consumerOf(at)
  const begun = at.clock.monotonic()
  const failed = await at.settle(consumer.start({ waitForBroker: ms })).then(
    () => undefined,
    (error: { code: string }) => error,
  )
  const took = at.clock.monotonic() - begun
  await at.settle(consumer.close())
  return { code: failed?.code, took }
}

/** A world whose brokers answer heartbeats as the test says; the first route for a request is the one that counts. */
async function answering(heartbeats: Route): Promise<World> {
  const at = await world(1)
  await at.settle(at.servers.get('b0')!.stop())
  const port = Number(at.brokers[0]!.address.split(':')[1])
  const others = at.brokers[0]!.routes().filter(({ request }) => request.code !== heartBeat.code)
  const there = simRuntime({ seed: 9, host: 'b0', clock: at.clock, network: at.network })
  const server = new RemotingServer({
    ...there,
    name: 'b0',
    listen: [{ host: at.network.addressOf('b0'), port }],
    routes: [heartbeats, ...others],
  })
  await at.settle(server.start())
  return { ...at, stop: async () => void (await at.settle(Promise.all([server.stop(), at.stop()]))) }
}

test('resolves at once where a broker answers, with nothing to wait for', async () => {
  const at = await world(2)
  const { code, took } = await waitingFor(at, 5000)
  assert.deepEqual([code, took < 100], [undefined, true])
  await at.stop()
})

test('one broker of two is enough, though the other is away', async () => {
  const at = await world(2)
  await at.settle(at.servers.get('b1')!.stop())
  const { code, took } = await waitingFor(at, 5000)
  assert.equal(code, undefined)
  assert.ok(took < 4000, `${took} ms`)
  await at.stop()
})

test('a broker that accepts connections and never answers is none', async () => {
  const at = await answering(route(heartBeat, () => noReply))
  const { code, took } = await waitingFor(at, 2000)
  assert.equal(code, 'NO_BROKER')
  assert.ok(took >= 1900, `${took} ms`)
  await at.stop()
})

test('a broker that refuses heartbeats until it is ready is waited for', async () => {
  let asked = 0
  const at = await answering(
    route(heartBeat, () => {
      asked++
      return asked < 8 ? refuse(ResponseCode.systemError, 'not yet') : ok({})
    }),
  )
  const { code, took } = await waitingFor(at, 60_000)
  assert.deepEqual([code, asked >= 8], [undefined, true])
  assert.ok(took < 10_000, `${took} ms`)
  await at.stop()
})

test('the address of a broker instead of a name server ends the wait with a sentence, not with the time', async () => {
  const at = await world(1)
  const namesrvAddr = at.brokers[0]!.address
  const producer = new Producer({ runtime: at.runtime, namesrvAddr, group: 'pg', logger: false })
  const begun = at.clock.monotonic()
  await assert.rejects(
    at.settle(producer.start({ waitForBroker: true })),
    /10911 is no name server .*a broker's address, perhaps/,
  )
  assert.ok(at.clock.monotonic() - begun < 5000)
  await at.settle(producer.close())
  await at.stop()
})

test('options that start does not have are refused, with the one that was meant', async () => {
  const at = await world(1)
  const consumer = consumerOf(at)
  await assert.rejects(at.settle(consumer.start({ waitForBrokers: true } as never)), /did you mean waitForBroker\?/)
  await at.settle(consumer.close())
  await at.stop()
})
