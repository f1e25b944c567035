import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inflateSync } from 'node:zlib'
import {
  endTransaction,
  type HeaderOf,
  parseProperties,
  pushReplyMessageToClient,
  ResponseCode,
  sendBatchMessage,
  type sendMessageV2,
  sendReplyMessageV2,
} from '@skua-mq/protocol'
import { answer, noReply, route } from '@skua-mq/remoting'
import { jsonCodec, Producer, type ProducerOptions, type TracedSend } from '../../src/index.ts'
import { routeOf, type World, world } from '../scripted-cluster.ts'

const message = { topic: 'T', body: 'x' }

async function started<T = string | Uint8Array>(at: World, options: Partial<ProducerOptions<T>> = {}) {
  const { runtime, namesrvAddr } = at
  const producer = new Producer<T>({ runtime, namesrvAddr, group: 'pg', ...options })
  await at.settle(producer.start())
  return producer
}

const sendsOf = (at: World) => at.brokers.flatMap(({ sends }) => sends)
const propertiesOf = (send: Pick<HeaderOf<typeof sendMessageV2>, 'properties'> | undefined) =>
  parseProperties(send?.properties ?? '')

/** Header of a stored message's answer. */
const stored = (queueId: number, queueOffset = 0) =>
  answer(ResponseCode.success, { msgId: '0A00000100002A9F0000000000000040', queueId, queueOffset })

describe('a send', () => {
  test('starts the producer by itself, and goes round the queues of all brokers', async () => {
    const at = await world(2)
    const { runtime, namesrvAddr } = at
    const producer = new Producer({ runtime, namesrvAddr, group: 'pg' })
    const queues: string[] = []
    for (let n = 0; n < 8; n++) {
      const { queue } = await at.settle(producer.send(message))
      queues.push(`${queue.brokerName} ${queue.queueId}`)
    }
    assert.equal(new Set(queues.slice(0, 4)).size, 4)
    assert.deepEqual(queues.slice(4), queues.slice(0, 4))
    await at.settle(producer.close())
    await at.stop()
  })

  test('says where the message lies', async () => {
    const at = await world(1)
    const producer = await started(at)
    const result = await at.settle(producer.send(message))
    assert.deepEqual(
      [result.sendStatus, result.queue.topic, result.queueOffset, result.offsetMsgId, result.regionId, result.traceOn],
      ['SEND_OK', 'T', 0, '0A00000100002A9F0000000000000040', 'DefaultRegion', true],
    )
    assert.equal(result.msgId, propertiesOf(sendsOf(at)[0]).get('UNIQ_KEY'))
    assert.equal(result.transactionId, result.msgId)
    await at.settle(producer.close())
    await at.stop()
  })

  test('of one key goes to one queue, of another key it may be another one', async () => {
    const at = await world(2)
    const producer = await started(at)
    const queueOf = async (orderKey: string | number) => {
      const { queue } = await at.settle(producer.send(message, { orderKey }))
      return `${queue.brokerName} ${queue.queueId}`
    }
    const first = await queueOf('order-1')
    for (let n = 0; n < 3; n++) assert.equal(await queueOf('order-1'), first)
    const others = new Set<string>()
    for (let n = 0; n < 20; n++) others.add(await queueOf(n))
    assert.equal(others.size, 4)
    await at.settle(producer.close())
    await at.stop()
  })

  test('goes to the queue that is chosen, and to no other', async () => {
    const at = await world(2)
    const producer = await started(at)
    const queue = { topic: 'T', brokerName: 'b1', queueId: 1 }
    for (let n = 0; n < 3; n++) assert.deepEqual((await at.settle(producer.send(message, { queue }))).queue, queue)
    const chosen = await at.settle(producer.send(message, { select: queues => queues.at(-1)! }))
    assert.deepEqual(chosen.queue, { topic: 'T', brokerName: 'b1', queueId: 1 })
    for (const wrong of [
      { ...queue, queueId: 9 },
      { ...queue, brokerName: 'b9' },
      { ...queue, topic: 'U' },
    ])
      await assert.rejects(at.settle(producer.send(message, { queue: wrong })), {
        code: 'ARGUMENT',
        message: /has no writable queue/,
      })
    await at.settle(producer.close())
    await at.stop()
  })

  test('with a namespace is sent with it, and told without', async () => {
    const at = await world(1)
    at.topics.set('ns%T', routeOf(at.brokers))
    const producer = await started(at, { namespace: 'ns' })
    const { queue } = await at.settle(producer.send(message, { select: queues => queues[0]! }))
    assert.equal(queue.topic, 'T')
    const [sent] = sendsOf(at)
    assert.deepEqual([sent?.topic, sent?.producerGroup], ['ns%T', 'ns%pg'])
    assert.deepEqual(await at.settle(producer.fetchPublishMessageQueues('T')), [
      { topic: 'T', brokerName: 'b0', queueId: 0 },
      { topic: 'T', brokerName: 'b0', queueId: 1 },
    ])
    await at.settle(producer.close())
    await at.stop()
  })

  test('of a large body is compressed; of a small one it is not', async () => {
    const bodies: Uint8Array[] = []
    const at = await world(1)
    const producer = await started(at)
    const remoting = (producer as unknown as { instance: { remoting: { request: (...args: unknown[]) => unknown } } })
      .instance.remoting
    const request = remoting.request.bind(remoting)
    remoting.request = (...args) => {
      const { body } = (args[3] ?? {}) as { body?: Uint8Array }
      if (body !== undefined) bodies.push(body)
      return request(...args)
    }
    await at.settle(producer.send({ topic: 'T', body: 'a'.repeat(4095) }))
    await at.settle(producer.send({ topic: 'T', body: 'a'.repeat(4096) }))
    const [small, large] = bodies as [Uint8Array, Uint8Array]
    assert.equal(small.length, 4095)
    assert.equal(inflateSync(large).toString(), 'a'.repeat(4096))
    assert.deepEqual(
      sendsOf(at).map(({ sysFlag }) => sysFlag & 1),
      [0, 1],
    )
    await at.settle(producer.close())
    await at.stop()
  })

  test('of what a codec makes bytes of; without one only text and bytes can be sent', async () => {
    const at = await world(1)
    const producer = await started<{ n: number }>(at, { codec: jsonCodec<{ n: number }>() })
    await at.settle(producer.send({ topic: 'T', body: { n: 1 } }))
    assert.equal(sendsOf(at).length, 1)
    const plain = await started(at, { group: 'plain' })
    await assert.rejects(at.settle(plain.send({ topic: 'T', body: { n: 1 } as never })), {
      code: 'ARGUMENT',
      message: /give the producer a codec/,
    })
    await at.settle(plain.send({ topic: 'T', body: Buffer.from('bytes') }))
    await at.settle(Promise.all([producer.close(), plain.close()]))
    await at.stop()
  })

  test('that nobody waits for any more ends with the reason of its signal, at whatever it waits for', async () => {
    const at = await world(1)
    const producer = await started(at, { maxInFlight: 1, retryTimesWhenSendFailed: 0 })
    at.brokers[0]!.onSend = () => 'silence'
    const abort = new AbortController()
    const asked = producer.send(message, { signal: abort.signal })
    const waiting = producer.send(message, { signal: abort.signal })
    const refused = [assert.rejects(asked, /enough/), assert.rejects(waiting, /enough/)]
    await at.clock.advanceAsync(100)
    abort.abort(new Error('enough'))
    await at.settle(Promise.all(refused))
    // One that was aborted before it began does not wait until its time is over.
    const begun = at.clock.monotonic()
    const stuck = producer.send(message, { timeoutMs: 60_000 })
    stuck.catch(() => {})
    await at.clock.advanceAsync(10)
    await assert.rejects(at.settle(producer.send(message, { signal: abort.signal, timeoutMs: 60_000 })), /enough/)
    assert.ok(at.clock.monotonic() - begun < 1000)
    await at.settle(producer.close())
    await at.stop()
  })

  test('of properties longer than a record holds is refused before it is sent', async () => {
    const at = await world(1)
    const producer = await started(at)
    await assert.rejects(at.settle(producer.send({ ...message, properties: { a: 'x'.repeat(33_000) } })), {
      code: 'ARGUMENT',
      message: /longer than 32767 bytes/,
    })
    assert.equal(sendsOf(at).length, 0)
    await at.settle(producer.close())
    await at.stop()
  })

  test('after the end is refused', async () => {
    const at = await world(1)
    const producer = await started(at)
    await at.settle(producer.close())
    await assert.rejects(producer.send(message), { code: 'STATE', message: /this producer is closed/ })
    await at.stop()
  })

  test('of a topic whose queues may not be written says so', async () => {
    const at = await world(1)
    const { queueDatas, ...rest } = routeOf(at.brokers)
    at.topics.set('ReadOnly', { ...rest, queueDatas: queueDatas.map(data => ({ ...data, perm: 4 })) })
    const producer = await started(at)
    await assert.rejects(at.settle(producer.send({ ...message, topic: 'ReadOnly' })), {
      code: 'NO_ROUTE',
      message: /no writable queue/,
    })
    await at.settle(producer.close())
    await at.stop()
  })
})

describe('a send without an answer', () => {
  test('is handed over and no more: nobody waits for what the broker says', async () => {
    const at = await world(1)
    at.brokers[0]!.onSend = () => 'silence'
    const producer = await started(at)
    const begun = at.clock.monotonic()
    await at.settle(producer.sendOneway(message))
    assert.ok(at.clock.monotonic() - begun < 100)
    await at.clock.advanceAsync(50)
    assert.equal(sendsOf(at).length, 1)
    await at.settle(producer.sendOneway(message, { queue: { topic: 'T', brokerName: 'b0', queueId: 1 } }))
    await at.clock.advanceAsync(50)
    assert.equal(sendsOf(at)[1]?.queueId, 1)
    await at.settle(producer.close())
    await at.stop()
  })
})

describe('a batch', () => {
  async function batches(options: Partial<ProducerOptions> = {}) {
    const taken: { count: number; batch: boolean | undefined; bytes: number; delay: boolean }[] = []
    const take = route(sendBatchMessage, (header, { body }) => {
      let count = 0
      for (let at = 0; at < body.length; at += Buffer.from(body).readInt32BE(at)) count++
      taken.push({ count, batch: header.batch, bytes: body.length, delay: propertiesOf(header).has('DELAY') })
      return stored(header.queueId, 10)
    })
    const at = await world(1, { routes: [take] })
    return { at, taken, producer: await started(at, options) }
  }

  test('goes in one send, whose result has all ids', async () => {
    const { at, taken, producer } = await batches()
    const results = await at.settle(producer.sendBatch([1, 2, 3].map(n => ({ topic: 'T', body: `${n}` }))))
    assert.deepEqual(
      taken.map(({ count, batch }) => [count, batch]),
      [[3, true]],
    )
    assert.equal(results.length, 1)
    assert.equal(results[0]!.msgId.split(',').length, 3)
    assert.equal(results[0]!.queueOffset, 10)
    await at.settle(producer.close())
    await at.stop()
  })

  test('that is too long goes in several, none above maxBatchBytes', async () => {
    const { at, taken, producer } = await batches({ maxBatchBytes: 1000 })
    const results = await at.settle(
      producer.sendBatch(Array.from({ length: 20 }, () => ({ topic: 'T', body: 'b'.repeat(200) }))),
    )
    assert.equal(results.length, taken.length)
    assert.equal(
      taken.reduce((sum, { count }) => sum + count, 0),
      20,
    )
    for (const { bytes } of taken) assert.ok(bytes <= 1000)
    await at.settle(producer.close())
    await at.stop()
  })

  test('of nothing, of several topics, or with a delay is refused before anything is sent', async () => {
    const { at, taken, producer } = await batches()
    for (const wrong of [[], [message, { ...message, topic: 'U' }], [message, { ...message, delayLevel: 1 }]])
      await assert.rejects(at.settle(producer.sendBatch(wrong)), { code: 'ARGUMENT' })
    assert.deepEqual(taken, [])
    await at.settle(producer.close())
    await at.stop()
  })
})

describe('a transaction', () => {
  async function transactions(options: Partial<ProducerOptions> = {}) {
    const ends: HeaderOf<typeof endTransaction>[] = []
    const at = await world(1, {
      routes: [
        route(endTransaction, header => {
          ends.push(header)
          return noReply
        }),
      ],
    })
    return { at, ends, producer: await started(at, options) }
  }
  const states = { commit: 8, rollback: 12, unknown: 0 }

  test('is committed when its local part returns, and says what it was about', async () => {
    const { at, ends, producer } = await transactions()
    const result = await at.settle(
      producer.transaction({ ...message, delayMs: 7_000 }, sent => assert.equal(sent.sendStatus, 'SEND_OK')),
    )
    await at.clock.advanceAsync(50)
    const [sent] = sendsOf(at)
    assert.deepEqual(
      [propertiesOf(sent).get('TRAN_MSG'), propertiesOf(sent).get('TIMER_DELAY_MS'), sent!.sysFlag & 12],
      ['true', '7000', 4],
    )
    const [end] = ends
    assert.deepEqual(
      [
        result.state,
        end?.commitOrRollback,
        end?.commitLogOffset,
        end?.producerGroup,
        end?.msgId,
        end?.fromTransactionCheck,
      ],
      ['commit', states.commit, 0x40, 'pg', result.msgId, false],
    )
    await at.settle(producer.close())
    await at.stop()
  })

  test('takes no delay level, which brokers would not see, and no options of other sends', async () => {
    const { at, producer } = await transactions()
    for (const [given, options, why] of [
      [{ ...message, delayLevel: 3 }, {}, /a transaction takes no delayLevel: give delayMs or deliverAtMs/],
      [message, { orderKey: 'k' }, /transaction has no option orderKey/],
    ] as const)
      await assert.rejects(at.settle(producer.transaction(given, () => assert.fail('it ran'), options as object)), {
        code: 'ARGUMENT',
        message: why,
      })
    assert.equal(sendsOf(at).length, 0)
    await at.settle(producer.close())
    await at.stop()
  })

  test('ends as its local part says', async () => {
    const { at, ends, producer } = await transactions()
    for (const state of ['commit', 'rollback', 'unknown'] as const) {
      assert.equal((await at.settle(producer.transaction(message, async () => state))).state, state)
      await at.clock.advanceAsync(50)
      assert.equal(ends.at(-1)?.commitOrRollback, states[state])
    }
    await at.settle(producer.close())
    await at.stop()
  })

  test('whose local part answers something else is not committed: it may have meant a rollback', async () => {
    const { at, ends, producer } = await transactions()
    for (const [said, expected] of [
      ['ROLLBACK', /"ROLLBACK" was given; did you mean 'rollback'\?/],
      [false, /boolean was given/],
      [null, /object was given/],
      ['nonsense', /answers nothing, or one of commit, rollback, unknown: "nonsense"/],
    ] as const) {
      await assert.rejects(at.settle(producer.transaction(message, () => said)), {
        code: 'ARGUMENT',
        message: expected,
      })
      await at.clock.advanceAsync(50)
      assert.equal(ends.at(-1)?.commitOrRollback, states.rollback)
    }
    await assert.rejects(at.settle(producer.transaction(message, undefined as never)), {
      code: 'ARGUMENT',
      message: /needs a function/,
    })
    assert.equal(ends.length, 4)
    await at.settle(producer.close())
    await at.stop()
  })

  test('whose local part throws is rolled back, and with checkTransaction left open; the error goes on', async () => {
    for (const [options, state] of [
      [{}, 'rollback'],
      [{ checkTransaction: () => 'commit' as const }, 'unknown'],
    ] as const) {
      const { at, ends, producer } = await transactions(options)
      const failing = producer.transaction(message, () => {
        throw new Error('no money')
      })
      await assert.rejects(at.settle(failing), /no money/)
      await at.clock.advanceAsync(50)
      assert.equal(ends.at(-1)?.commitOrRollback, states[state])
      await at.settle(producer.close())
      await at.stop()
    }
  })

  test('that is stored less safely than wanted is rolled back, and its local part is not run', async () => {
    const { at, ends, producer } = await transactions()
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.flushDiskTimeout })
    let ran = 0
    const result = await at.settle(producer.transaction(message, () => void ran++))
    await at.clock.advanceAsync(50)
    assert.deepEqual([ran, result.state, ends.at(-1)?.commitOrRollback], [0, 'rollback', states.rollback])
    await at.settle(producer.close())
    await at.stop()
  })

  test('that could not be sent has no local part', async () => {
    const { at, ends, producer } = await transactions()
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.messageIllegal })
    let ran = 0
    await assert.rejects(at.settle(producer.transaction(message, () => void ran++)), { responseCode: 13 })
    assert.deepEqual([ran, ends.length], [0, 0])
    await at.settle(producer.close())
    await at.stop()
  })

  test('makes the producer known to the brokers of its topic first: they ask it about the outcome', async () => {
    const { at, producer } = await transactions()
    const beats = at.brokers[0]!.heartbeats.length
    await at.settle(producer.transaction(message, () => {}))
    assert.equal(at.brokers[0]!.heartbeats.length, beats + 1)
    await at.settle(producer.transaction(message, () => {}))
    assert.equal(at.brokers[0]!.heartbeats.length, beats + 1)
    await at.settle(producer.close())
    await at.stop()
  })
})

describe('a request', () => {
  const answerOf = (at: World, to: HeaderOf<typeof sendMessageV2>, body: string, id?: string) => {
    const correlationId = id ?? propertiesOf(to).get('CORRELATION_ID')
    const extFields = {
      ...{ producerGroup: 'x', topic: 'c_REPLY_TOPIC', defaultTopic: 'X', defaultTopicQueueNums: '1', queueId: '0' },
      ...{ sysFlag: '0', bornTimestamp: '1', flag: '0', reconsumeTimes: '0', storeTimestamp: '1' },
      ...{ bornHost: '10.0.0.5:1', storeHost: '10.0.0.6:2', properties: `CORRELATION_ID\u0001${correlationId}` },
    }
    const { connection } = at.brokers[0]!
    return at.settle(connection!.call({ code: pushReplyMessageToClient.code, extFields, body: Buffer.from(body) }))
  }

  test('gets the reply with its id; a reply that nobody waits for is refused', async () => {
    const at = await world(1)
    const producer = await started(at)
    const asked = producer.request(message, { timeoutMs: 5000 })
    await at.clock.advanceAsync(50)
    const [sent] = sendsOf(at)
    const properties = propertiesOf(sent)
    assert.deepEqual([properties.get('REPLY_TO_CLIENT'), properties.get('TTL')], [producer.clientId, '5000'])
    assert.equal((await answerOf(at, sent!, 'other', 'nobody')).code, 1)
    assert.equal((await answerOf(at, sent!, 'pong')).code, 0)
    const reply = await at.settle(asked)
    assert.deepEqual([reply.text(), reply.topic, reply.bornHost], ['pong', 'c_REPLY_TOPIC', '10.0.0.5:1'])
    assert.ok(reply.properties.has('ARRIVE_TIME'))
    assert.equal((await answerOf(at, sent!, 'twice')).code, 1)
    await at.settle(producer.close())
    await at.stop()
  })

  test('that is not answered in time ends with TIMEOUT, and leaves nothing behind', async () => {
    const at = await world(1)
    const producer = await started(at)
    const begun = at.clock.monotonic()
    await assert.rejects(at.settle(producer.request(message, { timeoutMs: 2000 })), {
      code: 'TIMEOUT',
      message: /does a consumer of the topic reply/,
    })
    const took = at.clock.monotonic() - begun
    assert.ok(took >= 1900 && took <= 3100, `${took} ms`)
    await at.settle(producer.close())
    await at.stop()
    await at.clock.advanceAsync(5000)
    assert.equal(at.clock.nextInMs, undefined)
  })

  test('that cannot be sent is one error, of the send', async () => {
    const at = await world(1)
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.messageIllegal })
    const producer = await started(at)
    await assert.rejects(at.settle(producer.request(message)), { responseCode: 13 })
    await at.settle(producer.close())
    await at.stop()
  })

  test('that waits when its producer closes is told so; one that is given up ends at once', async () => {
    const at = await world(1)
    const producer = await started(at)
    const abort = new AbortController()
    const given = assert.rejects(producer.request(message, { timeoutMs: 60_000, signal: abort.signal }), /enough/)
    const waiting = assert.rejects(producer.request(message, { timeoutMs: 60_000 }), { code: 'STATE' })
    await at.clock.advanceAsync(50)
    abort.abort(new Error('enough'))
    await at.settle(given)
    await at.settle(producer.close())
    await at.settle(waiting)
    await at.stop()
  })

  test('is answered by a reply to its sender, through the reply topic of its cluster', async () => {
    const replies: HeaderOf<typeof sendReplyMessageV2>[] = []
    const at = await world(1, {
      routes: [
        route(sendReplyMessageV2, header => {
          replies.push(header)
          return stored(0)
        }),
      ],
    })
    at.topics.set('c1_REPLY_TOPIC', routeOf(at.brokers))
    const producer = await started(at)
    const request = new Map([
      ['CORRELATION_ID', 'id'],
      ['REPLY_TO_CLIENT', 'them'],
      ['TTL', '3000'],
      ['CLUSTER', 'c1'],
    ])
    await at.settle(producer.reply({ properties: request }, 'pong'))
    const [reply] = replies
    const properties = propertiesOf(reply)
    assert.deepEqual(
      [reply?.topic, ...['CORRELATION_ID', 'REPLY_TO_CLIENT', 'TTL', 'MSG_TYPE'].map(name => properties.get(name))],
      ['c1_REPLY_TOPIC', 'id', 'them', '3000', 'reply'],
    )
    for (const missing of ['CORRELATION_ID', 'REPLY_TO_CLIENT', 'CLUSTER']) {
      const without = new Map(request)
      without.delete(missing)
      await assert.rejects(at.settle(producer.reply({ properties: without }, 'pong')), { code: 'ARGUMENT' })
    }
    await at.settle(producer.close())
    await at.stop()
  })
})

describe('a tracer', () => {
  test('sees each send and its end, may add properties, and hears of failures', async () => {
    const at = await world(1)
    const seen: string[] = []
    const tracer = {
      send: (send: TracedSend) => {
        seen.push(`${send.topic} ${send.group} ${send.bodyBytes} ${send.messages}`)
        send.properties.set('traceparent', '00-1')
        return ({ result, error }: { result?: unknown; error?: unknown }) =>
          void seen.push(result === undefined ? `failed: ${(error as Error).message}` : 'sent')
      },
      consume: <R>(_consume: unknown, run: () => Promise<R>) => run(),
    }
    const producer = await started(at, { tracer })
    await at.settle(producer.send(message))
    assert.equal(propertiesOf(sendsOf(at)[0]).get('traceparent'), '00-1')
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.messageIllegal, remark: 'no' })
    await assert.rejects(at.settle(producer.send(message)))
    assert.equal(seen[0], 'T pg 1 1')
    assert.equal(seen[1], 'sent')
    assert.match(seen[3]!, /^failed: .*refused with code 13: no/)
    await at.settle(producer.close())
    await at.stop()
  })

  test('of RocketMQ’s kind is a message to the trace topic, by an inner producer, and is itself not traced', async () => {
    const at = await world(1)
    at.topics.set('RMQ_SYS_TRACE_TOPIC', routeOf(at.brokers))
    const producer = await started(at, { enableMsgTrace: true })
    await at.settle(producer.send({ ...message, keys: 'k', tag: 'A' }))
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.messageIllegal })
    await assert.rejects(at.settle(producer.send(message)))
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.success })
    await at.settle(producer.close())
    const traces = sendsOf(at).filter(({ topic }) => topic === 'RMQ_SYS_TRACE_TOPIC')
    assert.equal(traces.length, 1)
    assert.match(traces[0]!.producerGroup, /^_INNER_TRACE_PRODUCER-pg-PRODUCE/)
    const ids = sendsOf(at)
      .filter(({ topic }) => topic === 'T')
      .map(send => propertiesOf(send).get('UNIQ_KEY'))
    assert.deepEqual(propertiesOf(traces[0]).get('KEYS')?.split(' ').sort(), [...ids, 'k'].sort())
    await at.stop()
  })

  test('that cannot write what it traced says how much is lost, and the send is not the worse for it', async () => {
    const at = await world(1)
    const producer = await started(at, { enableMsgTrace: true })
    const dropped: number[] = []
    producer.on('traceDropped', ({ records }) => dropped.push(records))
    await at.settle(producer.send(message))
    await at.clock.advanceAsync(6000)
    assert.deepEqual(dropped, [1])
    await at.settle(producer.close())
    await at.stop()
  })
})

test('a broker that asks about more half messages than are held at a time asks again: they are dropped in silence', async () => {
  const { Transactions } = await import('../../src/produce/transaction.ts')
  const { readRecord } = await import('@skua-mq/protocol')
  const { record } = await import('../records.ts')
  let go = () => {}
  const gate = new Promise<void>(resolve => {
    go = resolve
  })
  const asked: string[] = []
  const told: string[] = []
  const transactions = new Transactions({
    instance: {
      calls: {
        tell: async (_address: string, { header }: { header: { msgId: string } }) => void told.push(header.msgId),
      },
    } as never,
    group: 'pg',
    namespace: '',
    emit: () => {},
    maxHeld: 2,
    check: async half => {
      asked.push(half.msgId)
      await gate
      return 'commit' as const
    },
  })
  const check = (queueOffset: number) => ({
    message: readRecord(record({ queueOffset }))!.message,
    tranStateTableOffset: queueOffset,
    commitLogOffset: 0,
    transactionId: undefined,
    address: 'b:1',
  })
  for (let n = 0; n < 5; n++) transactions.checked(check(n))
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(asked, ['ID0'])
  go()
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(
    [asked, told],
    [
      ['ID0', 'ID1'],
      ['ID0', 'ID1'],
    ],
  )
  transactions.checked(check(9))
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(told, ['ID0', 'ID1', 'ID9'])
})
