import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineEvent, EventHub } from '../src/index.ts'

const topicCreated = defineEvent<{ topic: string }>('topic created', 'info')

test('an event reaches every subscriber until it leaves', () => {
  const hub = new EventHub()
  const seen: string[] = []
  const leave = hub.subscribe(event => seen.push(`a ${event.name} ${event.fields.topic}`))
  hub.subscribe(event => seen.push(`b ${event.level}`))
  hub.emit(topicCreated({ topic: 'T' }))
  leave()
  hub.emit(topicCreated({ topic: 'U' }))
  assert.deepEqual(seen, ['a topic created T', 'b info', 'b info'])
  assert.equal(topicCreated.eventName, 'topic created')
})

test('a subscriber that throws does not keep the event from the others', () => {
  const hub = new EventHub()
  const seen: string[] = []
  hub.subscribe(() => {
    throw new Error('broken subscriber')
  })
  hub.subscribe(event => seen.push(event.name))
  assert.throws(() => hub.emit(topicCreated({ topic: 'T' })), /broken subscriber/)
  assert.deepEqual(seen, ['topic created'])
})
