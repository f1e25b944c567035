import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setMessageRequestMode, updateAndCreateTopic } from '@skua-mq/protocol'
import { javaVersions } from '../src/java-client.ts'
import { until } from '../src/until.ts'
import { bodies, type JavaWorld, withJava } from './java-world.ts'

/** As mqadmin's setConsumeMode. */
const popFrom = (world: JavaWorld, topic: string, group: string) =>
  world.withTool(async ask => {
    const mode = { topic, consumerGroup: group, mode: 'POP' as const, popShareQueueNum: 0 }
    const reply = await ask(setMessageRequestMode, {}, setMessageRequestMode.body!.encode(mode))
    assert.equal(reply.code, 0, reply.remark)
  })

const oneQueue = {
  defaultTopic: 'TBW102',
  readQueueNums: 1,
  writeQueueNums: 1,
  perm: 6,
  topicFilterType: 'SINGLE_TAG',
  topicSysFlag: 0,
  order: false,
}

const versions = javaVersions.filter(version => !version.startsWith('4.'))

const tests = (world: JavaWorld) => {
  test('a push consumer pops, and what it acknowledges does not come again', async () => {
    const [topic, group] = [world.name('Popped'), world.name('popper')]
    await world.send(topic, { queueId: 0, body: 'first' })
    await popFrom(world, topic, group)
    await world.push('popper', { topic, group, balancedByBroker: true, invisibleMs: 5000 })
    await world.received('popper', 1)
    for (let n = 1; n < 40; n++) await world.send(topic, { queueId: n % 4, body: `m${n}` })
    const got = await world.received('popper', 40)
    assert.equal(new Set(bodies(got)).size, 40)
    assert.ok(
      got.every(({ properties }) => properties['POP_CK'] !== undefined),
      'they were popped',
    )
    await sleep(8000)
    assert.equal((await world.received('popper', 41, 1000)).length, 40)
    await world.stopConsumer('popper')
  })

  test('what is not acknowledged in its invisible time comes again, and what failed after its delay', async () => {
    const [topic, group] = [world.name('Late'), world.name('late')]
    await world.send(topic, { queueId: 0, body: 'slow' })
    await popFrom(world, topic, group)
    await world.push('late', { topic, group, balancedByBroker: true, invisibleMs: 5000, dawdleMs: 8000 })
    const slow = await world.received('late', 2)
    assert.deepEqual(
      slow.map(({ body, reconsumeTimes }) => [body, reconsumeTimes]),
      [
        ['slow', 0],
        ['slow', 1],
      ],
    )
    assert.ok(slow.every(message => message.topic === topic))
    await world.stopConsumer('late')
    const failing = world.name('failing')
    await popFrom(world, topic, failing)
    await world.push('failing', { topic, group: failing, balancedByBroker: true, failFirst: 1 })
    const failed = await world.received('failing', 2)
    assert.deepEqual(
      failed.map(({ reconsumeTimes }) => reconsumeTimes),
      [0, 1],
    )
    const delay = (failed[1]?.receivedAt ?? 0) - (failed[0]?.receivedAt ?? 0)
    // The client's first delay is 10 s.
    assert.ok(delay > 9500 && delay < 15_000, `again after ${delay} ms`)
    await world.stopConsumer('failing')
  })

  test('a queue has work for more members than one', async () => {
    const [topic, group] = [world.name('OneQueue'), world.name('many')]
    await world.withTool(async ask => {
      const reply = await ask(updateAndCreateTopic, { ...oneQueue, topic })
      assert.equal(reply.code, 0, reply.remark)
    })
    await popFrom(world, topic, group)
    const members = ['many-a', 'many-b', 'many-c']
    for (const member of members) {
      const taking = { topic, group, instance: world.name(member), balancedByBroker: true, threads: 1, dawdleMs: 50 }
      await world.push(member, taking)
    }
    await sleep(3000)
    const sent = Array.from({ length: 60 }, (_, n) => `one-${n}`)
    for (const body of sent) await world.send(topic, { queueId: 0, body })
    const got = async () => (await Promise.all(members.map(member => world.received(member, 0, 100)))).map(bodies)
    await until(async () => (await got()).flat().length >= sent.length, 'all are there', 30_000)
    const parts = await got()
    assert.deepEqual(parts.flat().sort(), [...sent].sort(), 'each once')
    assert.ok(
      parts.every(part => part.length > 0),
      parts.map(({ length }) => length).join(),
    )
    for (const member of members) await world.stopConsumer(member)
  })

  test('a restart of the broker keeps what is popped', async () => {
    if (!world.owned) return
    const [topic, group] = [world.name('Restarted'), world.name('restarted')]
    for (let n = 0; n < 10; n++) await world.send(topic, { queueId: 0, body: `r${n}` })
    await popFrom(world, topic, group)
    await world.push('restarted', { topic, group, balancedByBroker: true, invisibleMs: 10_000, dawdleMs: 6000 })
    await world.received('restarted', 10)
    await world.restart()
    // What was acknowledged to nobody while it was away comes again, at most once more.
    await sleep(20_000)
    const got = await world.received('restarted', 10, 1000)
    assert.equal(new Set(bodies(got)).size, 10)
    const again = got.filter(({ reconsumeTimes }) => reconsumeTimes > 0)
    assert.ok(got.length === 10 + again.length, 'each once, and those once more that were not acknowledged')
    await world.stopConsumer('restarted')
  })
}

withJava('POP of the official Java client', {}, tests, versions)
