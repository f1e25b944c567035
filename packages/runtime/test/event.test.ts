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

test('a subscriber that throws neither keeps the event from the others nor disturbs who emits', () => {
  const hub = new EventHub()
  const seen: string[] = []
  hub.subscribe(() => {
    throw new Error('broken subscriber')
  })
  hub.subscribe(event => seen.push(`${event.name} ${event.fields.error ?? ''}`))
  hub.subscribe(() => {
    throw new Error('another one')
  })
  hub.emit(topicCreated({ topic: 'T' }))
  assert.deepEqual(seen, [
    'listener failed Error: broken subscriber',
    'topic created ',
    'listener failed Error: another one',
  ])
})

test('a failure that no subscriber can be told of is a warning of the process', async () => {
  const hub = new EventHub()
  hub.subscribe(() => {
    throw new Error('broken subscriber')
  })
  const warned = new Promise<Error>(resolve => process.once('warning', resolve))
  hub.emit(topicCreated({ topic: 'T' }))
  assert.match((await warned).message, /failed at "topic created": Error: broken subscriber/)
})
