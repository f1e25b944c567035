import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  cloneGroupOffset,
  consumerSendMsgBack,
  getBrokerRuntimeInfo,
  getConsumerConnectionList,
  getConsumerListByGroup,
  updateAndCreateSubscriptionGroup,
} from '@skua-mq/protocol'
import { type Event, EventHub } from '@skua-mq/runtime'
import { until } from '../src/until.ts'
import { bodies, type Got, type JavaWorld, refusal, withJava } from './java-world.ts'

const warnings: Event[] = []
const events = new EventHub()
events.subscribe(event => event.name.includes('subscribe differently') && warnings.push(event))

/** Changes what the broker knows of a group; what is not named has RocketMQ's default. */
const configure = (world: JavaWorld, groupName: string, changes: Record<string, unknown>) =>
  world.withTool(async ask => {
    const body = Buffer.from(JSON.stringify({ groupName, ...changes }))
    assert.equal((await ask(updateAndCreateSubscriptionGroup, {}, body)).code, 0)
  })

withJava('groups of the official Java client', { events }, world => {
  const brokerOf = async (topic: string) => (await world.send(topic, { queueId: 0 }))[0]?.brokerName

  test('a held pull is answered when a message comes, and when its time is over', async () => {
    const topic = world.name('Held')
    const brokerName = await brokerOf(topic)
    const held = { topic, brokerName, offset: 1, block: true, suspendMs: 1500, group: world.name('held') }
    const begun = Date.now()
    assert.equal((await world.pull(held)).status, 'NO_NEW_MSG')
    assert.ok(Date.now() - begun >= 1500, `held for ${Date.now() - begun} ms`)
    const waiting = world.pull({ ...held, group: world.name('held2'), suspendMs: 20_000 })
    await sleep(500)
    await world.send(topic, { queueId: 0, body: 'it came' })
    const found = await waiting
    assert.deepEqual([found.status, bodies(found.messages)], ['FOUND', ['it came']])
    const [message] = found.messages
    assert.ok((message?.receivedAt ?? 0) - (message?.storeTimestamp ?? 0) < 1000)
  })

  test('members that subscribe differently are named, and are told apart until they agree', async () => {
    const topic = world.name('Differ')
    const group = world.name('differ')
    await world.send(topic, { tag: 'A' })
    const instances = [world.name('differ-a'), world.name('differ-b')]
    await world.push('differ-a', { topic, group, tags: 'A', instance: instances[0] })
    await world.received('differ-a', 1)
    await world.push('differ-b', { topic, group, tags: 'B', instance: instances[1] })
    const members = () =>
      world.withTool(async ask => {
        const reply = await ask(getConsumerListByGroup, { consumerGroup: group })
        return getConsumerListByGroup.replyBody!.decode(reply.body!).consumerIdList
      })
    await until(async () => (await members()).length === 2, 'both are members')
    if (world.owned) {
      await until(async () => warnings.some(({ fields }) => fields['group'] === group), 'the broker warns')
      const { fields } = warnings.find(event => event.fields['group'] === group) as Event
      assert.equal(fields['topic'], topic)
      assert.deepEqual([...(fields['expressions'] as string[])].sort(), ['A', 'B'])
      for (const instance of instances)
        assert.ok(
          (fields['members'] as string[]).some(member => member.endsWith(`@${instance}`)),
          instance,
        )
      assert.equal((await runtime()).get('subscriptionsDiffer'), group)
    }
    await world.stopConsumer('differ-a')
    await until(async () => (await members()).length === 1, 'one is left')
    if (world.owned) assert.equal((await runtime()).get('subscriptionsDiffer'), '')
    // A broker filters by the subscription that came last, which may be that of the one who left until the next heartbeat.
    const subscribed = () =>
      world.withTool(async ask => {
        const { body } = await ask(getConsumerConnectionList, { consumerGroup: group })
        return getConsumerConnectionList.replyBody!.decode(body!).subscriptionTable.get(topic)?.subString
      })
    await until(async () => (await subscribed()) === 'B', 'its subscription counts', 60_000)
    // Who is left gets what it wants of every queue.
    await world.send(topic, { tags: ['A', 'B'], count: 8 })
    await until(
      async () => (await world.received('differ-b', 4, 1)).length === 4,
      'the one who is left gets its tags',
      60_000,
    )
    assert.ok((await world.received('differ-b', 4)).every(message => message.tags === 'B'))
    await world.stopConsumer('differ-b')
  })
  const runtime = () =>
    world.withTool(async ask => {
      const reply = await ask(getBrokerRuntimeInfo, {})
      return getBrokerRuntimeInfo.replyBody!.decode(reply.body!).table
    })

  test('a group that may not consume gets nothing until it may', async () => {
    const topic = world.name('Disabled')
    const group = world.name('disabled')
    const brokerName = await brokerOf(topic)
    const pull = () => world.pull({ topic, brokerName, offset: 0, group })
    await configure(world, group, { consumeEnable: false })
    await assert.rejects(pull(), refusal(16, /./))
    await configure(world, group, { consumeEnable: true })
    assert.equal((await pull()).status, 'FOUND')
  })

  test('a group that may not broadcast gets nothing until it may', async () => {
    const topic = world.name('NoCast')
    const group = world.name('no_cast')
    await world.send(topic, { count: 4, shards: 4 })
    await configure(world, group, { consumeBroadcastEnable: false })
    await world.push('no_cast', { topic, group, broadcasting: true })
    assert.equal((await world.received('no_cast', 1, 3000)).length, 0)
    await configure(world, group, { consumeBroadcastEnable: true })
    assert.equal((await world.received('no_cast', 4)).length, 4)
    await world.stopConsumer('no_cast')
  })

  test('retryMaxTimes of the group counts where the consumer names no limit', async () => {
    const topic = world.name('GroupRetry')
    const group = world.name('group_retry')
    await configure(world, group, { retryMaxTimes: 0 })
    const [sent] = await world.send(topic, { body: 'hopeless' })
    const offset = Number(BigInt(`0x${sent?.offsetMsgId.slice(-16)}`))
    await world.withTool(async (_, address) => {
      const fields = { offset, group, delayLevel: 1, originMsgId: sent?.msgId, originTopic: topic, unitMode: false }
      const reply = await world.call<{ code: number }>('remoting', { address, code: consumerSendMsgBack.code, fields })
      assert.equal(reply.code, 0)
    })
    await until(async () => (await world.readAll(`%DLQ%${group}`)).length === 1, 'the dead letter is there')
    assert.equal((await world.readAll(`%DLQ%${group}`))[0]?.body, 'hopeless')
  })

  test('a new group begins at the beginning of a young topic, although it asks for the end', async () => {
    const topic = world.name('Young')
    await world.send(topic, { count: 4, shards: 4 })
    await world.push('young', { topic, from: 'CONSUME_FROM_LAST_OFFSET' })
    assert.equal((await world.received('young', 4)).length, 4)
    await world.stopConsumer('young')
  })

  test('offsets that a tool gives to another group are where that one goes on', async () => {
    const topic = world.name('Clone')
    const [srcGroup, destGroup] = [world.name('clone_from'), world.name('clone_to')]
    await world.send(topic, { count: 4, shards: 4, body: 'seen' })
    await world.push('clone_from', { topic, group: srcGroup })
    assert.equal((await world.received('clone_from', 4)).length, 4)
    // A moment for the last of them to be acknowledged.
    await world.received('clone_from', 5, 500)
    await world.stopConsumer('clone_from')
    await world.withTool(async ask =>
      assert.equal((await ask(cloneGroupOffset, { srcGroup, destGroup, topic, offline: true })).code, 0),
    )
    await world.send(topic, { count: 4, shards: 4, body: 'new' })
    await world.push('clone_to', { topic, group: destGroup })
    assert.deepEqual(bodies(await world.received('clone_to', 4)), ['new 0', 'new 1', 'new 2', 'new 3'])
    await world.stopConsumer('clone_to')
  })

  test('asks where queues begin and end, where a time is, and when the oldest message was stored', async () => {
    interface Row {
      queueId: number
      min: number
      max: number
      earliest: number
      atTime: number
    }
    const topic = world.name('Offsets')
    const before = Date.now()
    await world.send(topic, { count: 3, queueId: 0 })
    await sleep(200)
    // Nearer to what comes after it.
    const middle = Date.now() - 20
    await world.send(topic, { count: 2, queueId: 0 })
    const at = async (timestamp: number) =>
      (await world.call<Row[]>('offsets', { topic, timestamp })).find(row => row.queueId === 0) as Row
    const row = await at(middle)
    assert.deepEqual([row.min, row.max, row.atTime], [0, 5, 3])
    assert.ok(row.earliest >= before && row.earliest <= middle)
    assert.equal((await at(before - 1000)).atTime, 0)
    // 4.9 answers the last message; 5.x the offset behind it.
    if (world.owned) assert.equal((await at(Date.now() + 60_000)).atTime, 4)
  })

  test('names of a namespace are the clients’ own: the broker knows the whole name', async () => {
    const topic = world.name('Spaced')
    const namespace = 'tenant'
    const group = world.name('spaced')
    await world.send(topic, { namespace, body: 'inside', count: 2 })
    await world.push('spaced', { topic, namespace, group })
    const got = await world.received('spaced', 2)
    assert.deepEqual(bodies(got), ['inside 0', 'inside 1'])
    assert.ok(got.every(message => message.topic === topic))
    assert.equal((await world.call<Got[]>('readAll', { topic: `${namespace}%${topic}` })).length, 2)
    const members = await world.withTool(async ask => {
      const reply = await ask(getConsumerListByGroup, { consumerGroup: `${namespace}%${group}` })
      return getConsumerListByGroup.replyBody!.decode(reply.body!).consumerIdList
    })
    assert.equal(members.length, 1)
    await world.stopConsumer('spaced')
  })
})

// accessMessageInMemoryMaxRatio=0: whoever is behind at all reads slowly.
withJava('slow readers', { config: { accessMessageInMemoryMaxRatio: 0 } }, world => {
  test('a slow reader is sent to the broker that its group names, where slaves may be read', async () => {
    const topic = world.name('Slow')
    const group = world.name('slow')
    await world.send(topic, { count: 2, queueId: 0 })
    await configure(world, group, { whichBrokerWhenConsumeSlowly: 3 })
    const suggested = () =>
      world.withTool(async (_, address) => {
        const reply = await world.call<{ code: number; fields: Record<string, string> }>('remoting', {
          address,
          code: 11,
          fields: {
            ...{ consumerGroup: group, topic, queueId: 0, queueOffset: 0, maxMsgNums: 1, sysFlag: 4, commitOffset: 0 },
            ...{ suspendTimeoutMillis: 0, subscription: '*', subVersion: 1, expressionType: 'TAG' },
          },
        })
        assert.equal(reply.code, 0)
        return reply.fields['suggestWhichBrokerId']
      })
    assert.equal(await suggested(), '0')
    if (!world.owned) await world.setOption('accessMessageInMemoryMaxRatio', 0)
    await world.setOption('slaveReadEnable', true)
    assert.equal(await suggested(), '3')
    if (!world.owned) await world.setOption('accessMessageInMemoryMaxRatio', 40)
    await world.setOption('slaveReadEnable', false)
    assert.equal(await suggested(), '0')
  })
})

// 192.0.2.1 is an address of the documentation: nobody can be reached there.
withJava('another address than loopback', { host: '0.0.0.0', config: { brokerIP1: '192.0.2.1' } }, world => {
  test('a client on loopback is told loopback', { skip: !world.owned }, async () => {
    assert.match(world.namesrv, /^127\.0\.0\.1:/)
    const topic = world.name('Loopback')
    assert.equal((await world.send(topic, { count: 3 })).length, 3)
    await world.push('loopback', { topic })
    assert.equal((await world.received('loopback', 3)).length, 3)
    await world.stopConsumer('loopback')
  })
})
