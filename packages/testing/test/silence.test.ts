import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PushConsumer } from '@skua-mq/client'
import { getRouteInfoByTopic } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { type Event, EventHub, nodeRuntime } from '@skua-mq/runtime'
import { startBroker } from '../src/index.ts'

/** What happens rarely, by name. */
function listening(): { events: EventHub; names: string[] } {
  const events = new EventHub()
  const names: string[] = []
  events.subscribe(({ name }: Event) => names.push(name))
  return { events, names }
}

test('where time leaps over a month, nobody is held for dead because he was silent', async () => {
  const { events, names } = listening()
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'], events })
  const mine = await broker.consume({ group: 'mine', topic: 'Orders', handler: () => {} })
  await broker.producer()
  // One over a socket, whose time stands still beside: it says nothing for a month.
  const other = new PushConsumer({ namesrvAddr: broker.namesrvAddr, group: 'other' })
  await other
    .subscribe('Orders')
    .onMessage(() => {})
    .start()
  await broker.clock.advance('1m')
  names.length = 0
  await broker.clock.advance('30d')
  const told = new Set(names)
  told.delete('registered with a name server')
  assert.deepEqual([...told], [], 'no member is gone, no connection is made anew, no queue changes hands')
  assert.equal(mine.queues.length, 5)
  await other.close()
})

test('a connection is kept for a month without a byte', async () => {
  await using broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  const client = new RemotingClient(broker.client.runtime)
  const addresses = [broker.brokerAddr, broker.namesrvAddr]
  let gone = 0
  const silent = new RemotingClient({ ...broker.client.runtime, onGone: () => void gone++ })
  for (const address of addresses) await silent.request(address, getRouteInfoByTopic, { topic: 'Orders' })
  await broker.clock.advance('30d')
  assert.equal(gone, 0)
  await Promise.all([client.close(), silent.close()])
})

test('who asks a second time for a topic that is not there gets his answer, although time stands still', async () => {
  await using broker = await startBroker({ clock: 'virtual' })
  const client = new RemotingClient(nodeRuntime())
  for (let i = 0; i < 3; i++) {
    const { code } = await client.request(
      broker.namesrvAddr,
      getRouteInfoByTopic,
      { topic: 'Nowhere' },
      { timeoutMs: 2000 },
    )
    assert.equal(code, 17)
  }
  await client.close()
})
