import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heartBeat, ResponseCode } from '@skua-mq/protocol'
import { SimClock } from '@skua-mq/runtime'
import { ConsumerGroups } from '../../src/client-table/consumer-groups.ts'
import { ProducerGroups } from '../../src/client-table/producer-groups.ts'
import { consumerData, machine, subscription, TestConnection } from '../harness.ts'
import { World } from '../world.ts'

const mebi = 1024 * 1024
const client = (connection: TestConnection, clientId = 'c') => ({ clientId, connection, language: 9, version: 409 })

test('what one connection says of consumers is bounded in bytes; others go on, and it again when it has left some', () => {
  const groups = new ConsumerGroups({ ...machine(), notify: () => {} })
  const hostile = new TestConnection()
  const large = (name: string) => consumerData(name, [subscription('T', 'x'.repeat(mebi))])
  const taken = [...Array(50).keys()].filter(n => groups.hasRoom(large(`g${n}`), client(hostile)) && register(`g${n}`))
  function register(name: string): boolean {
    groups.register(large(name), client(hostile), false)
    return true
  }
  assert.ok(taken.length >= 1 && taken.length < 10, `${taken.length} MiB were taken`)
  assert.equal(groups.hasRoom(large('g0'), client(hostile)), true, 'what it said before may be said again')
  assert.equal(groups.hasRoom(large('g'), client(new TestConnection())), true)
  groups.unregister('g0', hostile, false)
  assert.equal(groups.hasRoom(large('again'), client(hostile)), true)
  Array.from(groups.leaving(hostile))
  assert.equal(groups.find('g1'), undefined)
})

test('so is what it says of producers', () => {
  const producers = new ProducerGroups(new SimClock())
  const hostile = new TestConnection()
  let taken = 0
  for (; taken < 100_000 && producers.hasRoom(`p${taken}`, client(hostile)); taken++)
    producers.register(`p${taken}`, client(hostile))
  assert.ok(taken > 1000 && taken < 50_000, `${taken} groups were taken`)
  assert.equal(producers.hasRoom('p0', client(hostile)), true)
  assert.equal(producers.hasRoom('p', client(new TestConnection())), true)
  Array.from(producers.leaving(hostile))
  assert.equal(producers.hasRoom('p', client(hostile)), true)
})

test('a client id is not without an end', () => {
  const producers = new ProducerGroups(new SimClock())
  const connection = new TestConnection()
  assert.equal(producers.hasRoom('p', client(connection, 'c'.repeat(10 * mebi))), false)
})

test('a client that invents groups is refused before it fills the memory', async () => {
  const world = await new World().start()
  const peer = world.client('hostile')
  const beat = (round: number) =>
    peer.ask(
      heartBeat,
      {},
      {
        clientID: 'hostile',
        consumerDataSet: [],
        producerDataSet: [...Array(2000).keys()].map(n => ({ groupName: `p${round}-${n}` })),
      },
    )
  let refused = 0
  for (let round = 0; round < 20; round++) if ((await beat(round)).code !== ResponseCode.success) refused++
  assert.ok(refused > 5, `${refused} of 20 heartbeats were refused`)
  assert.equal((await world.client('innocent').consume('g', ['T'])).code, ResponseCode.success)
  await world.stop()
})
