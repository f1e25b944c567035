import assert from 'node:assert/strict'
import { test } from 'node:test'
import { basicsVersions } from '../src/java-client.ts'
import { until } from '../src/until.ts'
import { type Sent, withJava } from './java-world.ts'

withJava(
  'the official Java client',
  {},
  world => {
    test('sends in every way, and a push consumer gets each message once', async () => {
      const topic = world.name('Ways')
      const sync = await world.send(topic, { tag: 'A', key: 'k', count: 5, properties: { color: 'red' } })
      assert.ok(sync.every(sent => sent.status === 'SEND_OK'))
      await world.call('push', { topic, name: 'ways', group: world.name('ways') })
      await world.send(topic, { tag: 'B', count: 5, mode: 'async' })
      await world.send(topic, { tag: 'C', count: 5, mode: 'oneway' })
      const batch = await world.call<Sent>('sendBatch', { topic, tag: 'D', count: 5 })
      assert.equal(batch.offsetMsgId.split(',').length, 5)
      const got = await world.received('ways', 20)
      // By place: client 5.3.3 gives all messages of a batch one more id, and RocketMQ hands out that one.
      assert.equal(new Set(got.map(message => `${message.queueId}:${message.queueOffset}`)).size, 20)
      assert.equal(got.length, 20)
      assert.deepEqual([...new Set(got.map(message => message.tags))].sort(), ['A', 'B', 'C', 'D'])
      const first = got.find(message => message.msgId === sync[0]?.msgId)
      assert.equal(first?.properties['color'], 'red')
      assert.equal(first?.body, 'hello 0')
      assert.equal(first?.keys, 'k-0')
      await world.stopConsumer('ways')
    })

    test('gets only the tags that it subscribes to', async () => {
      const topic = world.name('Tags')
      await world.send(topic, { tags: ['A', 'B', 'C'], count: 12 })
      await world.call('push', { topic, name: 'tags', group: world.name('tags'), tags: 'A || C' })
      assert.equal((await world.received('tags', 8)).length, 8)
      await world.send(topic, { tags: ['B', 'A'], count: 4 })
      const got = await world.received('tags', 10)
      assert.equal(got.length, 10)
      assert.ok(got.every(message => message.tags === 'A' || message.tags === 'C'))
      await world.stopConsumer('tags')
    })

    test('broadcasts to every member of a group', async () => {
      const topic = world.name('Cast')
      await world.send(topic, { count: 1 })
      for (const member of ['cast1', 'cast2']) {
        await world.call('push', {
          topic,
          name: member,
          instance: world.name(member),
          group: world.name('cast'),
          broadcasting: true,
        })
      }
      await world.send(topic, { count: 8 })
      assert.equal((await world.received('cast1', 9)).length, 9)
      assert.equal((await world.received('cast2', 9)).length, 9)
      for (const member of ['cast1', 'cast2']) await world.stopConsumer(member)
    })

    test('shares queues between two members, and hands them over when one leaves', async () => {
      const topic = world.name('Share')
      const ids = new Set((await world.send(topic, { count: 4, shards: 4 })).map(sent => sent.msgId))
      // Delivery is at least once: what had not been committed at a handover may come twice, so messages are counted by id.
      const missing = async (...members: string[]) => {
        const seen = new Set(
          (await Promise.all(members.map(member => world.received(member, 0)))).flat().map(message => message.msgId),
        )
        return [...ids].filter(id => !seen.has(id))
      }
      await world.call('push', { topic, name: 'share1', group: world.name('share') })
      await world.received('share1', 4)
      await world.call('push', { topic, name: 'share2', group: world.name('share') })
      const ownedBy = async (member: string) =>
        ((await world.java.call<{ topic: string }[]>('queues', { name: member })) ?? []).filter(
          queue => queue.topic === topic,
        ).length
      await until(
        async () => (await ownedBy('share1')) === 2 && (await ownedBy('share2')) === 2,
        'each member owns two queues',
      )
      for (const sent of await world.send(topic, { count: 8, shards: 4 })) ids.add(sent.msgId)
      await until(async () => (await missing('share1', 'share2')).length === 0, 'all messages are there')
      await world.stopConsumer('share1')
      await until(async () => (await ownedBy('share2')) === 4, 'the one who is left owns all')
      for (const sent of await world.send(topic, { count: 4, shards: 4 })) ids.add(sent.msgId)
      await until(async () => (await missing('share1', 'share2')).length === 0, 'the one who is left gets all')
      await world.stopConsumer('share2')
    })

    test('pulls with offsets of its own, and is told what is wrong with them', async () => {
      const topic = world.name('Pull')
      const sent = await world.send(topic, { count: 3, queueId: 0 })
      const brokerName = sent[0]?.brokerName
      const pull = (offset: number, further = {}) => world.pull({ topic, brokerName, offset, ...further })
      const found = await pull(1)
      assert.equal(found.status, 'FOUND')
      assert.deepEqual(
        found.messages.map(message => message.body),
        ['hello 1', 'hello 2'],
      )
      assert.deepEqual([found.next, found.min, found.max], [3, 0, 3])
      assert.equal((await pull(3)).status, 'NO_NEW_MSG')
      assert.equal((await pull(0, { tags: 'Nobody' })).status, 'NO_MATCHED_MSG')
      const illegal = await pull(99)
      assert.deepEqual([illegal.status, illegal.next], ['OFFSET_ILLEGAL', 3])
    })

    test('lite pull subscribes and assigns', async () => {
      const topic = world.name('Lite')
      await world.send(topic, { tags: ['A', 'B'], count: 8 })
      await world.call('litePull', { topic, name: 'lite', group: world.name('lite'), tags: 'B' })
      assert.equal((await world.received('lite', 4)).length, 4)
      await world.call('litePull', { topic, name: 'assigned', group: world.name('assigned'), assign: true })
      assert.equal((await world.received('assigned', 8)).length, 8)
      for (const consumer of ['lite', 'assigned']) await world.stopConsumer(consumer)
    })

    test('offsets survive a restart of the consumer and of the broker', async () => {
      const topic = world.name('Offsets')
      const group = world.name('offsets')
      await world.send(topic, { count: 6 })
      await world.call('push', { topic, name: 'before', group })
      assert.equal((await world.received('before', 6)).length, 6)
      // A moment for the last of them to be acknowledged.
      await world.received('before', 7, 500)
      await world.stopConsumer('before')
      if (world.owned) await world.restart()
      await until(
        async () => (await world.send(topic, { count: 1, tag: 'late' }).catch(() => [])).length === 1,
        'the broker takes messages again',
      )
      await world.call('push', { topic, name: 'after', group })
      const got = await world.received('after', 1)
      await world.received('after', 2, 500)
      assert.ok(
        got.length >= 1 && got.every(message => message.tags === 'late'),
        JSON.stringify(got.map(message => message.body)),
      )
      await world.stopConsumer('after')
    })

    test('a consumer of a tag goes on some seconds after a restart of the broker, though its heartbeat is still to come', async () => {
      if (!world.owned) return
      const topic = world.name('Restarted')
      await world.send(topic, { count: 1, tag: 'mine' })
      await world.call('push', { topic, name: 'stays', group: world.name('stays'), tags: 'mine' })
      assert.equal((await world.received('stays', 1)).length, 1)
      // Its second heartbeat comes after a second, its third half a minute later.
      await world.received('stays', 2, 2000)
      await world.restart()
      const sent = async (tag: string) => (await world.send(topic, { count: 1, tag }).catch(() => [])).length === 1
      await until(() => sent('other'), 'the broker takes messages again')
      await until(() => sent('mine'), 'the broker takes messages again')
      const got = await world.received('stays', 2, 15_000)
      assert.deepEqual(
        got.map(message => message.tags),
        ['mine', 'mine'],
      )
      await world.stopConsumer('stays')
    })

    test('32 threads lose nothing: every acknowledged message is read back once, in its place', async () => {
      const result = await world.call<Record<string, number>>('load', {
        topic: world.name('Load'),
        threads: 32,
        ms: 2000,
        readBack: true,
      })
      assert.ok((result['acknowledged'] ?? 0) > 100)
      assert.deepEqual(
        [result['errors'], result['missing'], result['twice'], result['misplaced']],
        [0, 0, 0, 0],
        JSON.stringify(result),
      )
    })
  },
  basicsVersions,
)
