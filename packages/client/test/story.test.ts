// Producers and consumers together, over a network that fails from a seed: what is said to be sent is stored, what is consumed is
// committed, and nothing is left behind at the end.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { consumerSendMsgBack, ResponseCode } from '@skua-mq/protocol'
import { ok, route } from '@skua-mq/remoting'
import { SimRandom } from '@skua-mq/runtime'
import { LitePullConsumer, type OffsetStorage, Producer, PushConsumer } from '../src/index.ts'
import { record } from './records.ts'
import { routeOf, type World, world } from './scripted-cluster.ts'

/** Brokers that keep what they are sent in queues, and give it to whoever pulls. */
async function storing(brokerCount: number) {
  const queues = new Map<string, { body: string; id: string }[]>()
  const returned: { id: string; times: number }[] = []
  const at = await world(brokerCount, {
    routes: [
      route(consumerSendMsgBack, ({ originMsgId }) => {
        returned.push({ id: originMsgId ?? '', times: 1 })
        return ok({})
      }),
    ],
  })
  at.brokers.forEach((broker, n) => {
    const of = (queueId: number) => {
      const key = `b${n} ${queueId}`
      const list = queues.get(key) ?? []
      queues.set(key, list)
      return list
    }
    const committed = new Map<number, number>()
    broker.members = () =>
      broker.heartbeats
        .filter(beat => beat.consumerDataSet.length > 0)
        .map(beat => beat.clientID)
        .slice(-1)
    broker.storedOffset = queueId =>
      broker.commits.findLast(commit => commit.topic === 'T' && commit.queueId === queueId)?.commitOffset ??
      committed.get(queueId) ??
      0
    broker.onSend = () => {
      const { queueId, properties } = broker.sends.at(-1)!
      const id = /UNIQ_KEY.([^\W_]+)/.exec(properties ?? '')![1]!
      of(queueId).push({ body: id, id })
      return { code: ResponseCode.success }
    }
    broker.onPull = async ({ topic, queueId, queueOffset }) => {
      if (topic !== 'T') return 'held'
      const list = of(queueId)
      // A broker holds it for a while.
      if (queueOffset >= list.length) await new Promise<void>(resolve => at.clock.after(100, resolve))
      if (queueOffset >= list.length) return { code: ResponseCode.pullNotFound, next: queueOffset }
      const next = Math.min(list.length, queueOffset + 8)
      const body = Buffer.concat(
        list
          .slice(queueOffset, next)
          .map(({ body, id }, i) =>
            record({ queueOffset: queueOffset + i, queueId, body, properties: { UNIQ_KEY: id } }),
          ),
      )
      return { code: ResponseCode.success, next, body }
    }
  })
  const stored = () => [...queues.values()].flat().map(({ id }) => id)
  return { at, stored, returned }
}

/** Cuts and heals the ways of the client at random. */
function weather(at: World, seed: number, hosts: readonly string[]) {
  const random = new SimRandom(seed)
  let isOver = false
  const cut = new Set<string>()
  const next = () => {
    if (isOver) return
    const host = hosts[random.int(hosts.length)]!
    if (cut.delete(host)) at.network.heal('client', host)
    else if (cut.size < hosts.length - 1) {
      cut.add(host)
      at.network.partition('client', host)
    }
    at.clock.after(200 + random.int(2500), next)
  }
  next()
  return () => {
    isOver = true
    at.network.healAll()
  }
}

async function send(at: World, producer: Producer, count: number): Promise<string[]> {
  const sent: string[] = []
  let failed = 0
  const one = async () => {
    try {
      const { msgId } = await producer.send({ topic: 'T', body: 'x' })
      sent.push(msgId)
    } catch (error) {
      failed++
      assert.ok(
        ['TIMEOUT', 'NETWORK', 'NAME_SERVER', 'NO_BROKER'].includes((error as { code: string }).code),
        String(error),
      )
    }
  }
  const work = (async () => {
    for (let n = 0; n < count; n++) {
      await one()
      await new Promise<void>(resolve => at.clock.after(50, resolve))
    }
  })()
  await at.settle(work)
  assert.ok(sent.length > failed, `${sent.length} were sent, ${failed} failed`)
  return sent
}

describe('over a network that fails', () => {
  for (const seed of [1, 2])
    test(`what is said to be sent is stored, and consumed (seed ${seed})`, async () => {
      const { at, stored } = await storing(2)
      at.topics.set('%RETRY%cg', routeOf(at.brokers))
      const { runtime, namesrvAddr } = at
      const producer = new Producer({ runtime, namesrvAddr, group: 'pg' })
      const consumed = new Set<string>()
      const consumer = new PushConsumer({
        runtime,
        namesrvAddr,
        group: 'cg',
        pullInterval: 20,
        consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      })
        .subscribe('T')
        .onMessage(({ msgId }) => void consumed.add(msgId))
      await at.settle(Promise.all([producer.start(), consumer.start()]))
      const calm = weather(at, seed, ['b0', 'b1'])
      const sent = await send(at, producer, 100)
      calm()
      await at.clock.advanceAsync(70_000)
      const there = new Set(stored())
      assert.deepEqual(
        sent.filter(id => !there.has(id)),
        [],
      )
      assert.deepEqual(
        [...there].filter(id => !consumed.has(id)),
        [],
      )
      await at.settle(Promise.all([producer.close(), consumer.close()]))
      await at.stop()
      await at.clock.advanceAsync(60_000)
      assert.equal(at.clock.nextInMs, undefined)
    })

  test('offsets never pass what was handed out, and at the end stand behind it', async () => {
    const { at, stored } = await storing(1)
    const { runtime, namesrvAddr } = at
    const producer = new Producer({ runtime, namesrvAddr, group: 'pg' })
    const seen = new Map<number, number>()
    const writes: [number, number, number][] = []
    const memory = new Map<number, number>()
    const offsetStore: OffsetStorage = {
      read: async ({ topic, queueId }) => (topic === 'T' ? (memory.get(queueId) ?? 0) : 0),
      write: async all => {
        for (const [{ topic, queueId }, offset] of all) {
          if (topic !== 'T') continue
          memory.set(queueId, offset)
          writes.push([queueId, offset, seen.get(queueId) ?? 0])
        }
      },
    }
    const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg', offsetStore, pullInterval: 20 })
      .subscribe('T')
      .onMessage(({ queue: { queueId }, queueOffset }) => {
        seen.set(queueId, Math.max(seen.get(queueId) ?? 0, queueOffset + 1))
      })
    await at.settle(Promise.all([producer.start(), consumer.start()]))
    await send(at, producer, 60)
    await at.clock.advanceAsync(10_000)
    for (const [queueId, offset, handed] of writes)
      assert.ok(offset <= handed, `queue ${queueId}: ${offset} above ${handed}`)
    assert.equal(
      [...memory.values()].reduce((a, b) => a + b, 0),
      stored().length,
    )
    await at.settle(Promise.all([producer.close(), consumer.close()]))
    await at.stop()
  })
})

describe('a loop over messages', () => {
  test('consumes what comes, acknowledges each with the next turn, and gives the last one back when it breaks off', async () => {
    const { at, returned } = await storing(1)
    const { runtime, namesrvAddr } = at
    const producer = new Producer({ runtime, namesrvAddr, group: 'pg' })
    const sent: string[] = []
    for (let n = 0; n < 6; n++) sent.push((await at.settle(producer.send({ topic: 'T', body: 'x' }))).msgId)
    const consumer = new PushConsumer({
      runtime,
      namesrvAddr,
      group: 'cg',
      pullInterval: 20,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    }).subscribe('T')
    const seen: string[] = []
    const loop = (async () => {
      for await (const message of consumer) {
        seen.push(message.msgId)
        if (seen.length === 4) break
      }
    })()
    await at.settle(loop)
    await at.clock.advanceAsync(100)
    assert.deepEqual(
      returned.map(({ id }) => id),
      [seen[3]],
    )
    assert.ok(seen.every(id => sent.includes(id)))
    await at.settle(Promise.all([producer.close(), consumer.close()]))
    await at.stop()
  })

  test('in several places shares the messages', async () => {
    const { at } = await storing(1)
    const { runtime, namesrvAddr } = at
    const producer = new Producer({ runtime, namesrvAddr, group: 'pg' })
    for (let n = 0; n < 12; n++) await at.settle(producer.send({ topic: 'T', body: 'x' }))
    const consumer = new PushConsumer({
      runtime,
      namesrvAddr,
      group: 'cg',
      pullInterval: 20,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    }).subscribe('T')
    const seen: string[][] = [[], [], []]
    const loops = seen.map(async list => {
      for await (const message of consumer) {
        list.push(message.msgId)
        await new Promise<void>(resolve => at.clock.after(10, resolve))
      }
    })
    await at.clock.advanceAsync(3000)
    await at.settle(consumer.close())
    await at.settle(Promise.all(loops))
    assert.equal(new Set(seen.flat()).size, 12)
    assert.ok(seen.every(list => list.length > 0))
    await at.settle(producer.close())
    await at.stop()
  })

  test('with a signal ends by it, and another one goes on', async () => {
    const { at } = await storing(1)
    const { runtime, namesrvAddr } = at
    const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg', pullInterval: 20 }).subscribe('T')
    const abort = new AbortController()
    const first = (async () => {
      for await (const message of consumer.messages({ signal: abort.signal })) assert.fail(message.msgId)
    })()
    const refused = assert.rejects(first, /enough/)
    await at.clock.advanceAsync(100)
    abort.abort(new Error('enough'))
    await at.settle(refused)
    const producer = new Producer({ runtime, namesrvAddr, group: 'pg' })
    await at.settle(producer.send({ topic: 'T', body: 'x' }))
    const second = consumer.messages()
    assert.equal((await at.settle(second.next())).done, false)
    await at.settle(second.return!())
    await at.settle(Promise.all([producer.close(), consumer.close()]))
    await at.stop()
  })
})

describe('a lite pull consumer of what was sent', () => {
  test('gets all of it in the order of each queue, and begins behind what was committed when it comes again', async () => {
    const { at } = await storing(1)
    const { runtime, namesrvAddr } = at
    const producer = new Producer({ runtime, namesrvAddr, group: 'pg' })
    for (let n = 0; n < 20; n++) await at.settle(producer.send({ topic: 'T', body: 'x' }))
    const open = () =>
      new LitePullConsumer({
        runtime,
        namesrvAddr,
        group: 'cg',
        autoCommit: false,
        pullBatchSize: 8,
        consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      }).subscribe('T')
    const seen = new Map<number, number[]>()
    const poll = async (consumer: LitePullConsumer, most: number) => {
      let count = 0
      while (count < most) {
        const batch = await at.settle(consumer.poll({ timeoutMs: 500 }))
        if (batch.length === 0) break
        count += batch.length
        for (const {
          queue: { queueId },
          queueOffset,
        } of batch) {
          const list = seen.get(queueId) ?? []
          seen.set(queueId, list)
          list.push(queueOffset)
        }
      }
      return count
    }
    const first = open()
    await poll(first, 8)
    await at.settle(first.commit())
    await at.settle(first.close())
    const second = open()
    await poll(second, 100)
    await at.settle(second.close())
    for (const offsets of seen.values())
      assert.deepEqual(
        offsets,
        offsets.map((_, n) => n),
      )
    assert.equal([...seen.values()].flat().length, 20)
    await at.settle(producer.close())
    await at.stop()
  })
})
