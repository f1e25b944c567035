import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { consumerSendMsgBack, type SubscriptionGroupConfig, type TopicConfig } from '@skua-mq/protocol'
import { SimRandom } from '@skua-mq/runtime'
import { groupConfig } from '../../src/group/group-table.ts'
import { retryRoutes } from '../../src/retry/routes.ts'
import { SendBack } from '../../src/retry/send-back.ts'
import { topicConfig } from '../../src/topic/topic-config.ts'
import { ask } from '../harness.ts'
import { StoreMachine, text } from '../store-machine.ts'

const levels = Array.from({ length: 18 }, (_, at) => 1000 * (at + 1))

interface Changes {
  group?: Partial<SubscriptionGroupConfig>
  perm?: number
  retryPerm?: number
  autoMessageVersionOnTopicLen?: boolean
}

async function broker(changes: Changes = {}) {
  const { autoMessageVersionOnTopicLen = false } = changes
  const machine = new StoreMachine({ autoMessageVersionOnTopicLen })
  const { store } = await machine.boot()
  const topics = new Map<string, TopicConfig>()
  const counted: string[] = []
  const routes = retryRoutes(
    new SendBack({
      store,
      levels,
      random: new SimRandom(1),
      counted: (group, topic) => counted.push(`${topic}@${group}`),
      brokerPermission: () => changes.perm ?? 6,
      settings: { autoMessageVersionOnTopicLen },
      group: name => (name.startsWith('g') ? { ...groupConfig(name), ...changes.group } : undefined),
      topics: {
        ensure: (topic, queues, _why, topicSysFlag = 0) => {
          const config = { ...topicConfig(topic, queues, changes.retryPerm), topicSysFlag }
          topics.set(topic, topics.get(topic) ?? config)
          return topics.get(topic)!
        },
      },
    }),
  )
  await machine.put(store, [{ topic: 'T', queueId: 1, body: 'hard', properties: { TAGS: 'A', UNIQ_KEY: 'id' } }])
  const back = async (
    header: Partial<{ offset: number; group: string; delayLevel: number; maxReconsumeTimes: number }> = {},
    version = 409,
  ) => {
    const full = { offset: 0, group: 'g', delayLevel: 0, unitMode: false, ...header }
    return machine.clock.until(ask(routes, consumerSendMsgBack, full, { version }))
  }
  const last = (topic: string, queueId = 0) => machine.read(store, topic, queueId).at(-1)
  return { machine, store, topics, back, last, counted }
}

describe('a message that is given back', () => {
  test('waits at level 3 for its retry, with where it came from', async () => {
    const { back, last, topics, counted } = await broker()
    assert.equal((await back()).code, 0)
    assert.deepEqual(counted, ['T@g'])
    const copy = last('SCHEDULE_TOPIC_XXXX', 2)!
    assert.equal(text(copy), 'hard')
    assert.equal(copy.reconsumeTimes, 1)
    const { ORIGIN_MESSAGE_ID, ...properties } = Object.fromEntries(copy.properties)
    assert.deepEqual(properties, {
      TAGS: 'A',
      UNIQ_KEY: 'id',
      RETRY_TOPIC: 'T',
      WAIT: 'false',
      DELAY: '3',
      REAL_TOPIC: '%RETRY%g',
      REAL_QID: '0',
    })
    assert.equal(ORIGIN_MESSAGE_ID, '7F00000100002A9F0000000000000000')
    assert.equal(topics.get('%RETRY%g')?.writeQueueNums, 1)
  })

  test('by a group whose retry topic is too long for a record is refused, and nothing is made or delayed', async () => {
    const { back, last, topics } = await broker()
    assert.equal((await back({ group: 'g'.repeat(120), delayLevel: 1 })).code, 0)
    const reply = await back({ group: 'g'.repeat(121), delayLevel: 2 })
    assert.equal(reply.code, 1)
    assert.match(
      reply.remark ?? '',
      /has 128 bytes.* at most 127 \(autoMessageVersionOnTopicLen=false\): use a shorter group name/,
    )
    assert.equal(last('SCHEDULE_TOPIC_XXXX', 1), undefined)
    assert.deepEqual([...topics.keys()], [`%RETRY%${'g'.repeat(120)}`])
  })

  test('by such a group is taken where records of the form V2 are written, its dead letters, too', async () => {
    const { back, last } = await broker({ autoMessageVersionOnTopicLen: true })
    const group = 'g'.repeat(248)
    assert.equal((await back({ group, delayLevel: 2 })).code, 0)
    assert.equal(last('SCHEDULE_TOPIC_XXXX', 1)?.properties.get('REAL_TOPIC'), `%RETRY%${group}`)
    assert.equal((await back({ group, delayLevel: -1 })).code, 0)
    assert.equal(text(last(`%DLQ%${group}`)!), 'hard')
    const reply = await back({ group: `${group}g` })
    assert.deepEqual([reply.code, /has 256 bytes.* at most 255/.test(reply.remark ?? '')], [1, true])
  })

  test('again waits longer, and still knows its first topic and id', async () => {
    const { back, last } = await broker()
    await back()
    const first = last('SCHEDULE_TOPIC_XXXX', 2)!
    await back({ offset: first.physicalOffset })
    const second = last('SCHEDULE_TOPIC_XXXX', 3)!
    assert.equal(second.reconsumeTimes, 2)
    assert.equal(second.properties.get('RETRY_TOPIC'), 'T')
    assert.equal(second.properties.get('ORIGIN_MESSAGE_ID'), first.properties.get('ORIGIN_MESSAGE_ID'))
  })

  test('waits as long as its consumer wants, at most the highest level', async () => {
    const { back, last } = await broker()
    await back({ delayLevel: 1 })
    assert.equal(last('SCHEDULE_TOPIC_XXXX', 0)?.properties.get('DELAY'), '1')
    await back({ delayLevel: 40 })
    assert.equal(last('SCHEDULE_TOPIC_XXXX', 17)?.properties.get('DELAY'), '18')
  })

  test('is a dead letter below level 0, and when it failed as often as the group allows', async () => {
    const { back, last, topics } = await broker({ group: { retryMaxTimes: 1 } })
    await back({ delayLevel: -1 })
    assert.equal(last('%DLQ%g')?.properties.get('DELAY'), '0')
    assert.deepEqual([topics.get('%DLQ%g')?.perm, topics.get('%DLQ%g')?.writeQueueNums], [6, 1])
    await back()
    await back({ offset: last('SCHEDULE_TOPIC_XXXX', 2)!.physicalOffset })
    assert.equal(last('%DLQ%g')?.reconsumeTimes, 2)
    assert.equal(last('%DLQ%g')?.queueOffset, 1)
  })

  test('follows the limit of its request, which clients before 3.4.9 do not know', async () => {
    const { back, last } = await broker()
    await back({ maxReconsumeTimes: 0 }, 120)
    assert.equal(last('%DLQ%g'), undefined)
    await back({ maxReconsumeTimes: 0 }, 121)
    assert.equal(last('%DLQ%g')?.reconsumeTimes, 1)
  })
})

test('what cannot be is refused, each with its code', async () => {
  assert.equal((await (await broker()).back({ group: 'unknown' })).code, 26)
  assert.equal((await (await broker({ perm: 4 })).back()).code, 16)
  assert.equal((await (await broker({ retryPerm: 4 })).back()).code, 16)
  assert.equal((await (await broker()).back({ offset: 77 })).code, 1)
})

test('a group without retry queues gives nothing back, and is told that all is well', async () => {
  const { back, store, last } = await broker({ group: { retryQueueNums: 0 } })
  const end = store.maxPhysicalOffset
  assert.equal((await back()).code, 0)
  assert.equal(store.maxPhysicalOffset, end)
  assert.equal(last('%DLQ%g'), undefined)
})
