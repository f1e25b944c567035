import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { topicConfigTableFile } from '@skua-mq/protocol'
import { tableNotSaved } from '../../src/persist/table-file.ts'
import type { TopicSettings } from '../../src/topic/system-topics.ts'
import { topicConfig } from '../../src/topic/topic-config.ts'
import { TopicTable, topicCreated } from '../../src/topic/topic-table.ts'
import { machine } from '../harness.ts'

const path = '/store/config/topics.json'
const settings: TopicSettings = {
  brokerClusterName: 'c1',
  brokerName: 'b1',
  autoCreateTopicEnable: true,
  maxAutoCreatedTopics: 100_000,
  defaultTopicQueueNums: 8,
  clusterTopicEnable: true,
  brokerTopicEnable: true,
  traceTopicEnable: false,
  autoMessageVersionOnTopicLen: false,
  msgTraceTopicName: 'RMQ_SYS_TRACE_TOPIC',
}

function opened(changes: Partial<TopicSettings> = {}, on = machine()) {
  const topics = new TopicTable({
    ...on,
    file: on.file(path, topicConfigTableFile),
    settings: { ...settings, ...changes },
  })
  topics.load()
  return { ...on, topics, on }
}

const send = (topic: string, changes = {}) => ({
  topic,
  defaultTopic: 'TBW102',
  queueNums: 4,
  unitMode: false,
  ...changes,
})

describe('system topics', () => {
  test('a new broker makes those of RocketMQ, with its queues and permissions', () => {
    const { topics } = opened()
    const made = Object.fromEntries(
      topics.all().map(({ topicName, readQueueNums, perm }) => [topicName, [readQueueNums, perm]]),
    )
    assert.deepEqual(made, {
      SELF_TEST_TOPIC: [1, 6],
      TBW102: [8, 7],
      BenchmarkTest: [1024, 6],
      c1: [16, 7],
      b1: [1, 7],
      OFFSET_MOVED_EVENT: [1, 6],
      SCHEDULE_TOPIC_XXXX: [18, 6],
      c1_REPLY_TOPIC: [1, 6],
      RMQ_SYS_TRANS_HALF_TOPIC: [1, 6],
      RMQ_SYS_TRANS_OP_HALF_TOPIC: [1, 6],
    })
  })

  test('options take the template away, close the name topics and add the trace topic', () => {
    const { topics } = opened({
      autoCreateTopicEnable: false,
      clusterTopicEnable: false,
      brokerTopicEnable: false,
      traceTopicEnable: true,
    })
    assert.equal(topics.find('TBW102'), undefined)
    assert.equal(topics.find('c1')?.perm, 1)
    assert.equal(topics.find('b1')?.perm, 1)
    assert.equal(topics.find('RMQ_SYS_TRACE_TOPIC')?.writeQueueNums, 1)
  })

  test('the file rules over what the start would make, but for the template', async () => {
    const first = opened()
    await first.topics.put({ ...topicConfig('BenchmarkTest', 5) }, 'test')
    const again = opened({ defaultTopicQueueNums: 3 }, first.on)
    assert.equal(again.topics.find('BenchmarkTest')?.writeQueueNums, 5)
    assert.equal(again.topics.find('TBW102')?.writeQueueNums, 3)
    const off = opened({ autoCreateTopicEnable: false }, first.on)
    assert.equal(off.topics.find('TBW102'), undefined)
  })

  test('they are known as such, also those that are not made here', () => {
    const { topics } = opened()
    for (const name of [
      'TBW102',
      'c1',
      'b1',
      'c1_REPLY_TOPIC',
      'RMQ_SYS_TRACE_TOPIC',
      'TRANS_CHECK_MAX_TIME_TOPIC',
      'rmq_sys_x',
    ])
      assert.ok(topics.isSystem(name), name)
    assert.equal(topics.isSystem('orders'), false)
  })
})

describe('auto-creation', () => {
  test('a topic is made from the template: the smaller number of queues, without the inherit bit, and told', async () => {
    const { topics, fieldsOf, clock } = opened()
    const changes: string[] = []
    topics.onChange(() => changes.push('changed'))
    clock.advance(5)
    const { counter } = topics.version
    assert.deepEqual(topics.createFor(send('T')), topicConfig('T', 4))
    assert.deepEqual(topics.find('T'), topicConfig('T', 4))
    assert.equal(topics.createFor(send('U', { queueNums: 100 }))?.writeQueueNums, 8)
    assert.equal(topics.createFor(send('V', { queueNums: 0 }))?.writeQueueNums, 1)
    assert.equal(topics.createFor(send('W', { unitMode: true }))?.topicSysFlag, 1)
    assert.equal(topics.version.counter, counter + 4)
    assert.equal(topics.version.timestamp, clock.now())
    await clock.until(topics.settled())
    // Told at once, each: the registration gathers what comes together.
    assert.equal(changes.length, 4)
    assert.deepEqual(fieldsOf(topicCreated.eventName)[0], {
      topic: 'T',
      queues: 4,
      perm: 6,
      why: 'sent to, from the template TBW102',
    })
  })

  test('without a template, or from one that may not be inherited, nothing is made', async () => {
    const { topics } = opened({ autoCreateTopicEnable: false })
    assert.equal(topics.createFor(send('T')), undefined)
    await topics.put(topicConfig('closed', 4, 6), 'test')
    assert.equal(topics.createFor(send('T', { defaultTopic: 'closed' })), undefined)
    await topics.put(topicConfig('open', 2, 5), 'test')
    assert.deepEqual(topics.createFor(send('T', { defaultTopic: 'open' })), topicConfig('T', 2, 4))
  })

  test('a retry topic is made with one queue also without a template', () => {
    const { topics } = opened({ autoCreateTopicEnable: false })
    assert.deepEqual(topics.createFor(send('%RETRY%g')), topicConfig('%RETRY%g', 1))
  })

  test('a topic that is needed is made once', () => {
    const { topics, fieldsOf } = opened()
    const before = fieldsOf(topicCreated.eventName).length
    assert.equal(topics.ensure('%DLQ%g', 1, 'test'), topics.ensure('%DLQ%g', 9, 'test'))
    assert.equal(fieldsOf(topicCreated.eventName).length, before + 1)
  })
})

describe('persistence', () => {
  test('what was created, changed and deleted is so after a restart, with the version', async () => {
    const { topics, on } = opened()
    topics.createFor(send('T'))
    topics.createFor(send('U'))
    await topics.put({ ...topicConfig('T', 12, 4), order: true, topicFilterType: 'MULTI_TAG' }, 'test')
    assert.equal(await topics.delete('U'), true)
    assert.equal(await topics.delete('U'), false)
    const again = opened({}, on)
    assert.deepEqual(again.topics.find('T'), { ...topicConfig('T', 12, 4), order: true, topicFilterType: 'MULTI_TAG' })
    assert.equal(again.topics.find('U'), undefined)
    assert.deepEqual(again.topics.version.toJSON(), topics.version.toJSON())
  })

  test("the file has Java's form, and Java's is read with members of 5.x kept", async () => {
    const on = machine()
    on.disk.makeDirectory('/store/config')
    const entry =
      '\t\t"orders":{\n\t\t\t"attributes":{"message.type":"FIFO"},\n\t\t\t"order":false,\n\t\t\t"perm":6,\n\t\t\t"readQueueNums":4,\n' +
      '\t\t\t"topicFilterType":"SINGLE_TAG",\n\t\t\t"topicName":"orders",\n\t\t\t"topicSysFlag":0,\n\t\t\t"writeQueueNums":4\n\t\t}\n'
    on.disk.writeFile(
      path,
      Buffer.from(
        `{\n\t"dataVersion":{\n\t\t"counter":3,\n\t\t"timestamp":1700000000000\n\t},\n\t"topicConfigTable":{\n${entry}\t}\n}`,
      ),
    )
    const { topics } = opened({}, on)
    await topics.put(topicConfig('orders', 6), 'test')
    const text = on.disk.readFile(path).toString()
    assert.match(
      text,
      /^\{\n\t"dataVersion":\{\n\t\t"counter":5,\n\t\t"timestamp":\d+\n\t\},\n\t"topicConfigTable":\{\n\t\t"/,
    )
    assert.match(
      text,
      /"orders":\{\n\t\t\t"attributes":\{\n?\t*"message\.type":"FIFO"\n?\t*\},\n\t\t\t"order":false,\n\t\t\t"perm":6,\n\t\t\t"readQueueNums":6,/,
    )
  })

  test('a table that the start changed has another version, an unchanged one has not', async () => {
    const { topics, on, clock } = opened()
    topics.createFor(send('T'))
    await clock.until(topics.settled())
    const saved = topics.version.toJSON()
    clock.advance(1000)
    assert.deepEqual(opened({}, on).topics.version.toJSON(), saved)
    assert.equal(opened({ traceTopicEnable: true }, on).topics.version.counter, saved.counter + 1)
  })

  test('a change that cannot be saved is refused, forgotten, and told to nobody', async () => {
    const { topics, disk } = opened()
    await topics.put(topicConfig('T', 4), 'test')
    const changes: string[] = []
    topics.onChange(() => changes.push('changed'))
    disk.faults.fail({ on: 'sync', code: 'EIO' })
    await assert.rejects(topics.put(topicConfig('U', 4), 'test'), { code: 'ETABLE' })
    await assert.rejects(topics.delete('T'), { code: 'ETABLE' })
    assert.equal(topics.find('U'), undefined)
    assert.ok(topics.find('T'))
    assert.deepEqual(changes, [])
  })

  test('of two changes of one topic that are refused neither is taken', async () => {
    const { topics, disk, clock } = opened()
    await clock.until(topics.put(topicConfig('T', 4), 'test'))
    disk.faults.fail({ on: 'sync', code: 'EIO' })
    const refused = [5, 6].map(queues =>
      assert.rejects(topics.put(topicConfig('T', queues), 'test'), { code: 'ETABLE' }),
    )
    await clock.until(Promise.all(refused))
    assert.equal(topics.find('T')?.writeQueueNums, 4)
  })
})

test('a thousand topics that are made at once are saved a few times, and all are there after a restart', async () => {
  const first = opened()
  first.topics.createFor(send('T0'))
  await first.clock.until(first.topics.settled())
  let saves = 0
  const rename = first.disk.rename.bind(first.disk)
  first.disk.rename = (from, to) => {
    if (to.endsWith('topics.json')) saves++
    rename(from, to)
  }
  for (let i = 1; i <= 1000; i++) first.topics.createFor(send(`T${i}`))
  await first.clock.until(first.topics.settled())
  assert.ok(saves <= 2, `${saves} saves`)
  const again = opened({}, first.on)
  for (let i = 0; i <= 1000; i++) assert.ok(again.topics.find(`T${i}`), `T${i}`)
})

test('a topic that the broker makes and cannot save is an event, and is saved with the next one', async () => {
  const { topics, disk, clock, fieldsOf, on } = opened()
  await topics.put(topicConfig('T', 4), 'test')
  disk.faults.fail({ on: 'sync', code: 'EIO' })
  topics.createFor(send('U'))
  await clock.until(topics.settled())
  assert.equal(fieldsOf(tableNotSaved.eventName).length, 1)
  disk.faults.clear()
  topics.createFor(send('V'))
  await clock.until(topics.settled())
  assert.ok(opened({}, on).topics.find('U'))
})

test('the topics that the name servers hold for ordered become ordered, others are no longer', async () => {
  const { topics } = opened()
  for (const name of ['T', 'U', 'V']) topics.createFor(send(name))
  await topics.put({ ...topicConfig('V', 4), order: true }, 'test')
  const changes: string[] = []
  topics.onChange(() => changes.push('changed'))
  await topics.setOrdered(new Set(['T', 'unknown']))
  assert.deepEqual(
    ['T', 'U', 'V'].map(name => topics.find(name)?.order),
    [true, false, false],
  )
  assert.equal(changes.length, 1)
  await topics.setOrdered(new Set(['T', 'unknown']))
  assert.equal(changes.length, 1, 'the same again is no change')
})

test('a topic that is deleted goes from memory with its queues, and not before: none is made in between that would lose them', async () => {
  const { topics, clock, disk } = opened()
  await clock.until(topics.put({ ...topicConfig('T', 4), perm: 6 }, 'test'))
  disk.faults.slow({ on: 'sync', ms: 500 })
  const order: string[] = []
  const deleting = topics.delete('T', () => order.push(`gone, known: ${topics.find('T') !== undefined}`))
  await clock.advanceAsync(100)
  assert.ok(topics.find('T'), 'sends of this moment are to the old topic')
  const put = topics.put({ ...topicConfig('T', 2), perm: 6 }, 'test').then(() => order.push('put'))
  assert.equal(await clock.until(deleting), true)
  await clock.until(put)
  assert.deepEqual(order, ['gone, known: false', 'put'])
  assert.equal(topics.find('T')?.writeQueueNums, 2)
})

test('a change that is refused after the file was replaced is taken back in the file, too', async () => {
  const { topics, disk, clock, on } = opened()
  await clock.until(topics.put(topicConfig('kept', 4), 'test'))
  const sync = disk.syncDirectoryLater
  disk.syncDirectoryLater = () => Promise.reject(new Error('EIO'))
  await assert.rejects(clock.until(topics.delete('kept')), /could not be written/)
  await assert.rejects(clock.until(topics.put(topicConfig('refused', 4), 'test')), /could not be written/)
  disk.syncDirectoryLater = sync
  assert.notEqual(topics.find('kept'), undefined)
  await clock.advanceAsync(60_000)
  const { topics: next } = opened({}, on)
  assert.deepEqual([next.find('kept')?.writeQueueNums, next.find('refused')], [4, undefined])
})

test('a table that has stopped is not written again, though the disk comes back', async () => {
  const world = machine()
  const { topics } = opened({}, world)
  world.disk.faults.fail({ on: 'write', code: 'ENOSPC' })
  topics.createFor(send('T'))
  await world.clock.advanceAsync(100)
  topics.stop()
  world.disk.faults.clear()
  await world.clock.advanceAsync(60_000)
  assert.equal(world.disk.stat(path), undefined)
})
