import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  consumeMessageDirectly,
  consumerSendMsgBack,
  getConsumerRunningInfo,
  type HeaderOf,
  lockBatchMq,
  notifyConsumerIdsChanged,
  parseProperties,
  ResponseCode,
  resetConsumerClientOffset,
  resetOffsetBody,
  unlockBatchMq,
} from '@skua-mq/protocol'
import { ok, refuse, route } from '@skua-mq/remoting'
import { PushConsumer, type PushConsumerOptions } from '../../src/index.ts'
import { records } from '../records.ts'
import { routeOf, type World, world } from '../scripted-cluster.ts'

const clientOf = ({ runtime, namesrvAddr }: World) => ({ runtime, namesrvAddr, group: 'cg' })

function consumerAt(at: World, options: Partial<PushConsumerOptions> = {}) {
  const { runtime, namesrvAddr } = at
  return new PushConsumer({ runtime, namesrvAddr, group: 'cg', ...options }).subscribe('T', 'A || B')
}

test('the heartbeat names subscriptions and the retry topic, with hashes of the tags', async () => {
  const at = await world(1)
  const consumer = consumerAt(at).onMessage(() => {})
  await at.settle(consumer.start())
  const [beat] = at.brokers[0]!.heartbeats
  const data = beat!.consumerDataSet[0]!
  assert.deepEqual([data.groupName, data.consumeType, data.messageModel], ['cg', 'CONSUME_PASSIVELY', 'CLUSTERING'])
  const topics = new Map(data.subscriptionDataSet.map(sub => [sub.topic, sub]))
  assert.deepEqual(
    [topics.get('T')?.tagsSet, topics.get('T')?.codeSet],
    [
      ['A', 'B'],
      [65, 66],
    ],
  )
  assert.equal(topics.get('%RETRY%cg')?.subString, '*')
})

test('the first pull leaves within 200 ms of the start, from the stored offset', async () => {
  const at = await world(1)
  at.brokers[0]!.storedOffset = queueId => 10 + queueId
  const begun = at.clock.now()
  const consumer = consumerAt(at).onMessage(() => {})
  await at.settle(consumer.start())
  await at.clock.advanceAsync(20)
  assert.ok(at.clock.now() - begun < 200)
  const pulls = at.brokers[0]!.pulls.map(pull => [
    pull.queueId,
    pull.queueOffset,
    pull.maxMsgNums,
    pull.suspendTimeoutMillis,
  ])
  assert.deepEqual(pulls.sort(), [
    [0, 10, 32, 15_000],
    [1, 11, 32, 15_000],
  ])
})

test('what is consumed is committed every 5 s, up to the first message that is still running', async () => {
  const at = await world(1)
  const [broker] = at.brokers
  broker!.storedOffset = () => 0
  broker!.onPull = ({ queueId, queueOffset }) =>
    queueId === 0 && queueOffset === 0 ? { code: ResponseCode.success, next: 5, body: records(0, 5) } : 'held'
  let finish = () => {}
  const stuck = new Promise<void>(resolve => {
    finish = resolve
  })
  const consumer = new PushConsumer({ runtime: at.runtime, namesrvAddr: at.namesrvAddr, group: 'cg' }).subscribe('T')
  consumer.onMessage(message => (message.text() === '3' ? stuck : undefined))
  await at.settle(consumer.start())
  await at.clock.advanceAsync(5_200)
  const last = () => broker!.commits.filter(commit => commit.topic === 'T' && commit.queueId === 0).at(-1)?.commitOffset
  assert.equal(last(), 3)
  finish()
  await at.clock.advanceAsync(5_200)
  assert.equal(last(), 5)
})

test('an offset that does not exist is left for the one that the broker names, and committed', async () => {
  const at = await world(1)
  const [broker] = at.brokers
  let stored = 7
  broker!.storedOffset = () => stored
  broker!.onPull = ({ queueId, queueOffset }) => {
    if (queueId !== 0 || queueOffset !== 7) return 'held'
    stored = 50
    return { code: ResponseCode.pullOffsetMoved, next: 50 }
  }
  const moved: unknown[] = []
  const consumer = consumerAt(at).onMessage(() => {})
  consumer.on('offsetIllegal', ({ from, to }) => moved.push([from, to]))
  await at.settle(consumer.start())
  await at.clock.advanceAsync(2_000)
  assert.deepEqual(moved, [[7, 50]])
  assert.ok(broker!.commits.some(commit => commit.queueId === 0 && commit.commitOffset === 50))
  assert.ok(broker!.pulls.some(pull => pull.queueId === 0 && pull.queueOffset === 50))
})

test('a notification shares the queues out at once, and who gets none is told', async () => {
  const at = await world(1)
  const [broker] = at.brokers
  const consumer = consumerAt(at).onMessage(() => {})
  const lonely: number[] = []
  consumer.on('noQueue', ({ members, queues }) => lonely.push(members, queues))
  await at.settle(consumer.start())
  assert.equal(consumer.queues.filter(queue => queue.topic === 'T').length, 2)
  const own = consumer.clientId!
  const tell = async (members: string[]) => {
    broker!.members = () => members
    broker!.connection!.tell({ code: notifyConsumerIdsChanged.code, extFields: { consumerGroup: 'cg' } })
    await at.clock.advanceAsync(100)
    return consumer.queues.filter(queue => queue.topic === 'T').length
  }
  assert.equal(await tell([own, 'zzz']), 1)
  assert.equal(await tell(['!', '"', own]), 0)
  assert.deepEqual(lonely, [3, 2])
  assert.equal(await tell([own]), 2)
})

test('when the members are not known, everything stays as it is', async () => {
  const at = await world(1)
  const consumer = consumerAt(at).onMessage(() => {})
  await at.settle(consumer.start())
  at.brokers[0]!.members = () => []
  at.brokers[0]!.connection!.tell({ code: notifyConsumerIdsChanged.code, extFields: { consumerGroup: 'cg' } })
  await at.clock.advanceAsync(100)
  assert.equal(consumer.queues.length, 2)
})

test('an operator moves offsets: queues are dropped, and taken anew after 10 s', async () => {
  const at = await world(1)
  const [broker] = at.brokers
  broker!.storedOffset = () => 30
  const consumer = consumerAt(at).onMessage(() => {})
  await at.settle(consumer.start())
  const body = resetOffsetBody.encode({ offsetTable: new Map([[{ topic: 'T', brokerName: 'b0', queueId: 0 }, 5]]) })
  const extFields = { topic: 'T', group: 'cg', timestamp: '0', isForce: 'true' }
  broker!.connection!.tell({ code: resetConsumerClientOffset.code, extFields, body })
  await at.clock.advanceAsync(9_000)
  assert.ok(!broker!.commits.some(commit => commit.commitOffset === 5))
  broker!.storedOffset = queueId => (queueId === 0 ? 5 : 30)
  await at.clock.advanceAsync(4_000)
  assert.ok(broker!.commits.some(commit => commit.queueId === 0 && commit.commitOffset === 5))
  assert.ok(broker!.pulls.some(pull => pull.queueId === 0 && pull.queueOffset === 5))
})

test('operators see what it does, and may hand it a message', async () => {
  const at = await world(1)
  const seen: string[] = []
  const consumer = consumerAt(at).onMessage(message => {
    seen.push(message.text())
    if (message.text() === '2') throw new Error('bad message')
  })
  await at.settle(consumer.start())
  const { connection } = at.brokers[0]!
  const group = { consumerGroup: 'cg', clientId: consumer.clientId! }
  const info = await at.settle(connection!.call({ code: getConsumerRunningInfo.code, extFields: group }))
  const running = getConsumerRunningInfo.replyBody!.decode(info.body!)
  assert.equal(running.properties.get('PROP_CONSUME_TYPE'), 'CONSUME_PASSIVELY')
  assert.equal(running.mqTable.size, 2)
  const hand = async (body: Buffer) => {
    const call = { code: consumeMessageDirectly.code, extFields: { ...group, brokerName: 'b0' }, body }
    return consumeMessageDirectly.replyBody!.decode((await at.settle(connection!.call(call))).body!)
  }
  assert.equal((await hand(records(1, 2))).consumeResult, 'CR_SUCCESS')
  const failed = await hand(records(2, 3))
  assert.deepEqual([failed.consumeResult, failed.remark], ['CR_THROW_EXCEPTION', 'bad message'])
  assert.deepEqual(seen, ['1', '2'])
})

test('at the end offsets are written down, the group is left, and no timer stays behind', async () => {
  const at = await world(1)
  const [broker] = at.brokers
  broker!.storedOffset = () => 0
  broker!.onPull = ({ queueOffset }) =>
    queueOffset === 0 ? { code: ResponseCode.pullRetryImmediately, next: 9 } : 'held'
  const consumer = consumerAt(at).onMessage(() => {})
  await at.settle(consumer.start())
  await at.clock.advanceAsync(100)
  await at.settle(consumer.close())
  assert.deepEqual(broker!.commits.map(commit => commit.commitOffset).slice(-2), [9, 9])
  assert.deepEqual(broker!.unregistered, ['cg'])
  await at.stop()
  await at.clock.advanceAsync(10_000)
  assert.equal(at.clock.nextInMs, undefined)
})

type SendBack = HeaderOf<typeof consumerSendMsgBack>

/** A broker with one message in queue 0, and what is given back to it. */
async function withOneMessage(refuseBack: boolean) {
  const back: SendBack[] = []
  const giveBack = route(consumerSendMsgBack, header => {
    back.push(header)
    return refuseBack ? refuse(ResponseCode.systemError, 'no') : ok({})
  })
  const at = await world(1, { routes: [giveBack] })
  const [broker] = at.brokers
  broker!.storedOffset = () => 0
  broker!.onPull = ({ topic, queueId, queueOffset }) =>
    topic === 'T' && queueId === 0 && queueOffset === 0
      ? { code: ResponseCode.success, next: 1, body: records(0, 1) }
      : 'held'
  return { at, broker: broker!, back }
}

test('a message that runs longer than consumeTimeout is given back, and its queue goes on', async () => {
  const { at, broker, back } = await withOneMessage(false)
  const consumer = new PushConsumer({ ...clientOf(at), consumeTimeout: 1 }).subscribe('T')
  consumer.onMessage(() => new Promise(() => {}))
  await at.settle(consumer.start())
  await at.clock.advanceAsync(59_000)
  assert.equal(back.length, 0)
  await at.clock.advanceAsync(65_000)
  assert.deepEqual(
    back.map(({ group, delayLevel, originMsgId }) => [group, delayLevel, originMsgId]),
    [['cg', 3, 'ID0']],
  )
  assert.equal(broker.commits.filter(commit => commit.queueId === 0).at(-1)?.commitOffset, 1)
})

test('when the broker takes nothing back, the message goes to the retry topic as a new one', async () => {
  const { at, broker, back } = await withOneMessage(true)
  at.topics.set('%RETRY%cg', routeOf(at.brokers))
  const consumer = new PushConsumer({ ...clientOf(at), maxReconsumeTimes: 7 }).subscribe('T')
  consumer.onMessage(() => 'RECONSUME_LATER')
  await at.settle(consumer.start())
  await at.clock.advanceAsync(6_000)
  assert.deepEqual([back.length, back[0]?.maxReconsumeTimes], [1, 7])
  const [sent] = broker.sends
  assert.deepEqual([sent?.topic, sent?.producerGroup], ['%RETRY%cg', 'CLIENT_INNER_PRODUCER'])
  assert.deepEqual([sent?.reconsumeTimes, sent?.maxReconsumeTimes], [1, 7])
  const properties = parseProperties(sent?.properties ?? '')
  const names = ['RETRY_TOPIC', 'ORIGIN_MESSAGE_ID', 'DELAY', 'UNIQ_KEY', 'RECONSUME_TIME', 'MIN_OFFSET']
  assert.deepEqual(
    names.map(name => properties.get(name)),
    ['T', 'ID0', '3', 'ID0', undefined, undefined],
  )
  assert.equal(broker.commits.filter(({ topic, queueId }) => topic === 'T' && queueId === 0).at(-1)?.commitOffset, 1)
})

test('when that fails, too, it runs here again after 5 s, and nothing is committed before', async () => {
  const { at, broker } = await withOneMessage(true)
  const runs: number[] = []
  const consumer = new PushConsumer(clientOf(at)).subscribe('T')
  consumer.onMessage(message => {
    runs.push(message.reconsumeTimes)
    return runs.length === 1 ? 'RECONSUME_LATER' : undefined
  })
  await at.settle(consumer.start())
  await at.clock.advanceAsync(4_500)
  assert.deepEqual(runs, [0])
  assert.ok(broker.commits.every(commit => commit.commitOffset === 0))
  await at.clock.advanceAsync(11_000)
  assert.deepEqual(runs, [0, 1])
  assert.equal(broker.commits.filter(({ topic, queueId }) => topic === 'T' && queueId === 0).at(-1)?.commitOffset, 1)
})

test('a queue is not pulled while its cache is above a limit', async () => {
  const { at, broker } = await withOneMessage(false)
  broker.onPull = ({ topic, queueOffset }) =>
    topic === 'T' && queueOffset < 64
      ? { code: ResponseCode.success, next: queueOffset + 32, body: records(queueOffset, queueOffset + 32) }
      : 'held'
  let release = () => {}
  const gate = new Promise<void>(resolve => {
    release = resolve
  })
  const consumer = new PushConsumer({ ...clientOf(at), pullThresholdForQueue: 20 }).subscribe('T')
  consumer.onMessage(() => gate)
  await at.settle(consumer.start())
  await at.clock.advanceAsync(1_000)
  const pulls = () =>
    broker.pulls.filter(pull => pull.topic === 'T' && pull.queueId === 0).map(pull => pull.queueOffset)
  assert.deepEqual(pulls(), [0])
  release()
  await at.clock.advanceAsync(1_000)
  assert.deepEqual(pulls(), [0, 32, 64])
})

test('orderly: a queue is pulled only under its lock, and unlocked at the end', async () => {
  const locks: string[] = []
  let granted = false
  const lock = route(lockBatchMq, (_header, { body }) => {
    const { mqSet } = lockBatchMq.body!.decode(body)
    locks.push(`lock ${mqSet.length}`)
    return ok({}, lockBatchMq.replyBody!.encode({ lockOKMQSet: granted ? mqSet : [] }))
  })
  const unlock = route(unlockBatchMq, (_header, { body }) => {
    locks.push(`unlock ${unlockBatchMq.body!.decode(body).mqSet.length}`)
    return ok({})
  })
  const at = await world(1, { routes: [lock, unlock] })
  const [broker] = at.brokers
  broker!.storedOffset = () => 4
  const consumer = new PushConsumer({ ...clientOf(at), orderly: true }).subscribe('T').onMessage(() => {})
  await at.settle(consumer.start())
  await at.clock.advanceAsync(100)
  assert.deepEqual([broker!.pulls.length, locks], [0, ['lock 2']])
  granted = true
  await at.clock.advanceAsync(1_500)
  assert.deepEqual(
    broker!.pulls.map(pull => pull.queueOffset),
    [4, 4],
  )
  const before = locks.length
  await at.clock.advanceAsync(20_000)
  assert.ok(locks.slice(before).includes('lock 2'))
  await at.settle(consumer.close())
  assert.equal(locks.filter(entry => entry === 'unlock 1').length, 2)
})

test('a consumer of an unknown topic says so once, and begins when the topic is there', async () => {
  const at = await world(1)
  const told: string[] = []
  const consumer = new PushConsumer(clientOf(at)).subscribe('Later').onMessage(() => {})
  consumer.on('topicUnknown', ({ topic }) => told.push(topic))
  await at.settle(consumer.start())
  await at.clock.advanceAsync(10_000)
  assert.deepEqual(told, ['Later'])
  at.topics.set('Later', routeOf(at.brokers))
  await at.clock.advanceAsync(1_500)
  assert.equal(consumer.queues.length, 2)
  assert.equal(at.brokers[0]!.pulls.length, 2)
})

test('a loop ends when its consumer closes; one that begins then rejects', async () => {
  const at = await world(1)
  const never = consumerAt(at)
  await at.settle(never.close())
  const ran = consumerAt(at)
  await at.settle(ran.start())
  const waiting = (async () => {
    for await (const message of ran) assert.fail(message.msgId)
    return 'ended'
  })()
  await at.clock.advanceAsync(100)
  await at.settle(ran.close())
  assert.equal(await at.settle(waiting), 'ended')
  const failing = new PushConsumer(clientOf(at))
  await assert.rejects(at.settle(failing.start()), /subscribe to a topic/)
  await at.settle(failing.close())
  for (const consumer of [never, ran, failing]) {
    const loop = (async () => {
      for await (const message of consumer) assert.fail(message.msgId)
    })()
    await assert.rejects(at.settle(loop), { code: 'STATE', message: /this consumer is closed/ })
  }
  // Closed while its loop starts it.
  const both = consumerAt(at)
  const loop = (async () => {
    for await (const message of both) assert.fail(message.msgId)
    return 'ended'
  })()
  await at.settle(both.close())
  assert.equal(await at.settle(loop), 'ended')
})
