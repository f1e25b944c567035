import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConsumerGroups, memberExpiryMs, subscriptionsDiffer } from '../../src/client-table/consumer-groups.ts'
import { consumerData, machine, subscription, TestConnection } from '../harness.ts'

function table() {
  const on = machine()
  const notified: string[] = []
  const consumers = new ConsumerGroups({ ...on, notify: group => notified.push(group.group) })
  const beat = (
    clientId: string,
    subscriptions = [subscription('T')],
    { connection = new TestConnection(), group = 'g', notifies = true } = {},
  ) => {
    const changed = consumers.register(
      consumerData(group, subscriptions),
      { clientId, connection, language: 0, version: 409 },
      notifies,
    )
    return { connection, changed }
  }
  const members = (group = 'g') => [...(consumers.find(group)?.members.values() ?? [])].map(member => member.clientId)
  return { ...on, consumers, notified, beat, members }
}

describe('membership', () => {
  test('a first heartbeat makes a member and notifies, a repeated one does neither', () => {
    const { beat, members, notified } = table()
    const { connection, changed } = beat('a')
    assert.equal(changed, true)
    assert.equal(beat('a', undefined, { connection }).changed, false)
    assert.deepEqual(members(), ['a'])
    assert.deepEqual(notified, ['g'])
  })

  test('the end of a connection costs its own groups, however many there are of others', () => {
    const { beat, consumers } = table()
    for (let i = 0; i < 20_000; i++) beat('a', [], { group: `g${i}` })
    const begun = process.cpuUsage()
    for (let i = 0; i < 2000; i++) {
      const { connection } = beat('b', [], { group: 'own' })
      Array.from(consumers.leaving(connection))
    }
    // Forty million groups would be looked at.
    const { user } = process.cpuUsage(begun)
    assert.ok(user < 500_000, `${user} µs`)
    assert.equal(consumers.find('own'), undefined)
  })

  test('a connection that left a group, or whose group went, is forgotten there and known in its others', () => {
    const { beat, consumers, members, clock } = table()
    const { connection } = beat('a')
    for (const group of ['h', 'i']) beat('a', undefined, { connection, group })
    consumers.unregister('h', connection, true)
    clock.advance(memberExpiryMs + 1)
    beat('a', undefined, { connection, group: 'i' })
    consumers.expire()
    assert.deepEqual([members(), members('h'), members('i')], [[], [], ['a']])
    beat('a', undefined, { connection, group: 'h' })
    Array.from(consumers.leaving(connection))
    assert.deepEqual([members('h'), members('i'), [...consumers.all()].length], [[], [], 0])
  })

  test('many subscriptions cost their number, not its square', () => {
    const { beat } = table()
    const wanted = Array.from({ length: 15_000 }, (_, i) => subscription(`T${i}`))
    const { connection } = beat('a', wanted)
    const begun = process.cpuUsage()
    assert.equal(beat('a', wanted.slice(1), { connection }).changed, true)
    const { user } = process.cpuUsage(begun)
    assert.ok(user < 400_000, `${user} µs`)
  })

  test('a group that forbids notification is not notified of heartbeats', () => {
    const { beat, notified } = table()
    beat('a', undefined, { notifies: false })
    assert.deepEqual(notified, [])
  })

  test('one connection is one member: another client id on it takes its place', () => {
    const { beat, members } = table()
    const { connection } = beat('a')
    assert.equal(beat('b', undefined, { connection }).changed, true)
    assert.deepEqual(members(), ['b'])
  })

  test('a closed connection leaves all its groups at once, and those who stay are notified', () => {
    const { beat, members, notified, consumers } = table()
    const { connection } = beat('a')
    beat('a', undefined, { connection, group: 'h' })
    beat('b')
    notified.length = 0
    Array.from(consumers.leaving(connection))
    assert.deepEqual(members(), ['b'])
    assert.equal(consumers.find('h'), undefined)
    assert.deepEqual(notified, ['g'], 'nobody is left in h')
  })

  test('unregistering leaves one group only', () => {
    const { beat, members, consumers } = table()
    const { connection } = beat('a')
    beat('a', undefined, { connection, group: 'h' })
    consumers.unregister('g', connection, true)
    assert.deepEqual([members('g'), members('h')], [[], ['a']])
    consumers.unregister('unknown', connection, true)
  })

  test('a member that is silent for more than 120 s is removed and its connection closed; a heartbeat keeps it', () => {
    const { beat, members, consumers, clock, notified } = table()
    const silent = beat('a').connection
    const living = beat('b').connection
    clock.advance(memberExpiryMs)
    beat('b', undefined, { connection: living })
    consumers.expire()
    assert.deepEqual(members(), ['a', 'b'], 'exactly 120 s is not yet too long')
    clock.advance(1)
    notified.length = 0
    consumers.expire()
    assert.deepEqual(members(), ['b'])
    assert.equal(silent.open, false)
    assert.equal(living.open, true)
    assert.deepEqual(notified, ['g'])
  })

  test('a step of the wall clock expires nobody', () => {
    const { beat, members, consumers, clock } = table()
    beat('a')
    clock.step(86_400_000)
    consumers.expire()
    assert.deepEqual(members(), ['a'])
  })

  test('a connection that is a member is known by its client id, others are not', () => {
    const { beat, consumers } = table()
    const { connection } = beat('a')
    assert.equal(consumers.memberOf('g', connection), 'a')
    assert.equal(consumers.memberOf('h', connection), undefined)
    assert.equal(consumers.memberOf('g', new TestConnection()), undefined)
  })
})

describe('subscriptions', () => {
  test('a topic that comes or goes is a change; a newer version of one is taken without', () => {
    const { beat, consumers } = table()
    const { connection } = beat('a', [subscription('T', 'A')])
    const at = (topic: string) => consumers.subscription('g', topic)
    assert.equal(beat('a', [subscription('T', 'B', { subVersion: 2 })], { connection }).changed, false)
    assert.equal(at('T')?.subString, 'B')
    assert.equal(
      beat('a', [subscription('T', 'B', { subVersion: 2 }), subscription('U')], { connection }).changed,
      true,
    )
    assert.equal(beat('a', [subscription('U')], { connection }).changed, true)
    assert.equal(at('T'), undefined)
    assert.ok(at('U'))
  })

  test('an older or equal version replaces nothing', () => {
    const { beat, consumers } = table()
    const { connection } = beat('a', [subscription('T', 'new', { subVersion: 5 })])
    beat('a', [subscription('T', 'old', { subVersion: 4 })], { connection })
    beat('a', [subscription('T', 'same', { subVersion: 5 })], { connection })
    assert.equal(consumers.subscription('g', 'T')?.subString, 'new')
  })

  test('type, model and starting place of the group are those of the last heartbeat', () => {
    const { consumers } = table()
    const client = { clientId: 'a', connection: new TestConnection(), language: 0, version: 409 }
    consumers.register(consumerData('g', []), client, true)
    consumers.register(
      consumerData('g', [], {
        messageModel: 'BROADCASTING',
        consumeType: 'CONSUME_ACTIVELY',
        consumeFromWhere: undefined,
      }),
      client,
      true,
    )
    const { consumeType, messageModel, consumeFromWhere } = consumers.find('g')!
    assert.deepEqual([consumeType, messageModel, consumeFromWhere], ['CONSUME_ACTIVELY', 'BROADCASTING', undefined])
  })
})

describe('members that subscribe differently', () => {
  test('are found at the heartbeat: one warning that names both clients and expressions, and a count', () => {
    const { beat, consumers, fieldsOf } = table()
    beat('a', [subscription('T', 'A || B')])
    const { connection } = beat('b', [subscription('T', 'C')])
    beat('b', [subscription('T', 'C')], { connection })
    assert.deepEqual(fieldsOf(subscriptionsDiffer.eventName), [
      { group: 'g', topic: 'T', members: ['a', 'b'], expressions: ['A || B', 'C'] },
    ])
    assert.equal(consumers.differencesFound, 1)
    assert.deepEqual(consumers.differingGroups, ['g'])
  })

  test('are found among many, also by a missing topic', () => {
    const { beat, fieldsOf } = table()
    for (const id of ['a', 'b', 'c']) beat(id, [subscription('T'), subscription('U')])
    beat('d', [subscription('T')])
    assert.deepEqual(fieldsOf(subscriptionsDiffer.eventName), [
      { group: 'g', topic: 'U', members: ['a', 'd'], expressions: ['*', 'not subscribed'] },
    ])
  })

  test('are those that want something else, not those that say the same otherwise or in another version', () => {
    const { beat, fieldsOf } = table()
    beat('a', [subscription('T', 'A || B', { subVersion: 1 }), subscription('U')])
    beat('b', [subscription('U'), subscription('T', 'B||A', { subVersion: 2 })])
    assert.deepEqual(fieldsOf(subscriptionsDiffer.eventName), [])
    beat('c', [subscription('U'), subscription('T', 'A || B', { expressionType: 'SQL92' })])
    assert.equal(fieldsOf(subscriptionsDiffer.eventName).length, 1)
  })

  test('are forgotten when they agree or one leaves, and are warned of again when they differ again', () => {
    const { beat, consumers } = table()
    beat('a', [subscription('T', 'A')])
    const { connection } = beat('b', [subscription('T', 'B')])
    beat('b', [subscription('T', 'A', { subVersion: 2 })], { connection })
    assert.deepEqual(consumers.differingGroups, [])
    beat('b', [subscription('T', 'B', { subVersion: 3 })], { connection })
    assert.equal(consumers.differencesFound, 2)
    Array.from(consumers.leaving(connection))
    assert.deepEqual(consumers.differingGroups, [])
    beat('c', [subscription('T', 'C')])
    assert.equal(consumers.differencesFound, 3)
  })
})
