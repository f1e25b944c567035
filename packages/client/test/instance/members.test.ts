import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConsumerMember, Members, type ProducerMember } from '../../src/instance/members.ts'

/** A member with these topics, and what it was told. */
function member(group: string, topics: string[]) {
  const told: string[] = []
  const one = { group, topics: () => topics, emit: (name: string) => void told.push(name) }
  return { told, producer: one as unknown as ProducerMember, consumer: one as unknown as ConsumerMember }
}

test('the topics of an instance are those of all its members', () => {
  const members = new Members()
  assert.deepEqual([members.size, [...members.topics()]], [0, []])
  const topics = ['T']
  members.addProducer(member('p', ['T', 'U']).producer)
  members.addConsumer(member('c', topics).consumer)
  assert.deepEqual([members.size, [...members.topics()].sort()], [2, ['T', 'U']])
  // A member may want others later.
  topics.push('V')
  assert.deepEqual([...members.topics()].sort(), ['T', 'U', 'V'])
  members.producers.delete('p')
  assert.deepEqual([members.size, [...members.topics()]], [1, ['T', 'V']])
})

test('what concerns all is told to each member', () => {
  const members = new Members()
  const [one, other] = [member('a', []), member('b', [])]
  members.addProducer(one.producer)
  members.addConsumer(other.consumer)
  members.emit('heartbeatFailed', { address: 'b:1', error: new Error('away') })
  assert.deepEqual([one.told, other.told], [['heartbeatFailed'], ['heartbeatFailed']])
})
