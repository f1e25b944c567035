import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { memberExpiryMs } from '../../src/client-table/consumer-groups.ts'
import { ProducerGroups } from '../../src/client-table/producer-groups.ts'
import { TestConnection } from '../harness.ts'

function table() {
  const clock = new SimClock()
  const producers = new ProducerGroups(clock)
  const register = (clientId: string, { group = 'p', connection = new TestConnection() } = {}) => {
    producers.register(group, { clientId, connection, language: 9, version: 409 })
    return connection
  }
  const ids = (group = 'p') => producers.membersOf(group).map(member => member.clientId)
  return { clock, producers, register, ids }
}

test('the end of a connection costs its own groups, however many there are of others', () => {
  const { producers, register, ids } = table()
  for (let i = 0; i < 20_000; i++) register('a', { group: `p${i}` })
  const begun = process.cpuUsage()
  for (let i = 0; i < 2000; i++) {
    const connection = register('b', { group: 'own' })
    register('b', { group: 'left', connection })
    producers.unregister('left', connection)
    Array.from(producers.leaving(connection))
  }
  const { user } = process.cpuUsage(begun)
  assert.ok(user < 500_000, `${user} µs`)
  assert.deepEqual([ids('own'), ids('left'), ids('p7')], [[], [], ['a']])
})

test('those of a group are asked in turn; closed connections are passed over', () => {
  const { producers, register } = table()
  const first = register('a')
  register('b')
  register('c')
  const asked = Array.from({ length: 6 }, () => producers.next('p')?.clientId)
  assert.deepEqual(asked.toSorted(), ['a', 'a', 'b', 'b', 'c', 'c'])
  first.open = false
  assert.equal(new Set(Array.from({ length: 4 }, () => producers.next('p')?.clientId)).has('a'), false)
  assert.equal(producers.next('unknown'), undefined)
})

test('a reply finds its client by id, in whatever group, while it is connected', () => {
  const { producers, register } = table()
  register('a')
  const connection = register('b', { group: 'q' })
  assert.equal(producers.byClientId('b')?.connection, connection)
  connection.open = false
  assert.equal(producers.byClientId('b'), undefined)
})

test('a closed connection leaves all groups, unregistering leaves one', () => {
  const { producers, register, ids } = table()
  const connection = register('a')
  register('a', { group: 'q', connection })
  register('b')
  producers.unregister('p', connection)
  assert.deepEqual([ids('p'), ids('q')], [['b'], ['a']])
  Array.from(producers.leaving(connection))
  assert.deepEqual([...producers.all().keys()], ['p'])
})

test('a producer that is silent for more than 120 s is removed and cut off; a heartbeat keeps it', () => {
  const { clock, producers, register, ids } = table()
  const silent = register('a')
  const living = register('b')
  clock.advance(memberExpiryMs)
  register('b', { connection: living })
  producers.expire()
  assert.deepEqual(ids(), ['a', 'b'])
  clock.advance(1)
  producers.expire()
  assert.deepEqual(ids(), ['b'])
  assert.deepEqual([silent.open, living.open], [false, true])
})

test('a client is found by the id that it says last, and by none when it has left its groups', () => {
  const { producers, register } = table()
  const connection = register('a')
  register('b', { connection })
  assert.equal(producers.byClientId('a'), undefined)
  register('b', { connection, group: 'q' })
  producers.unregister('p', connection)
  assert.equal(producers.byClientId('b')?.connection, connection)
  producers.unregister('q', connection)
  assert.equal(producers.byClientId('b'), undefined)
})

test('a reply is passed on at once, however many groups the producers here have', () => {
  const { producers, register } = table()
  const connection = register('crowd')
  for (let i = 0; i < 20_000; i++) register('crowd', { connection, group: `g${i}` })
  const last = register('last', { group: 'z' })
  const begun = process.hrtime.bigint()
  for (let i = 0; i < 10_000; i++) assert.equal(producers.byClientId('last')?.connection, last)
  assert.ok(process.hrtime.bigint() - begun < 2_000_000_000n)
})
