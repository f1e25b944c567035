import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseProperties, ResponseCode } from '@skua-mq/protocol'
import { ClientError, latencyRules5, Producer, type ProducerOptions } from '../../src/index.ts'
import { producerSettings } from '../../src/produce/options.ts'
import { sendResult } from '../../src/produce/result.ts'
import { routeOf, type World, world } from '../scripted-cluster.ts'

const message = { topic: 'T', body: 'x' }

async function started(at: World, options: Partial<ProducerOptions> = {}) {
  const { runtime, namesrvAddr } = at
  const producer = new Producer({ runtime, namesrvAddr, group: 'pg', ...options })
  await at.settle(producer.start())
  return producer
}

const counts = (at: World) => at.brokers.map(({ sends }) => sends.length)
const brokerOf = async (at: World, producer: Producer) => (await at.settle(producer.send(message))).queue.brokerName

describe('tries', () => {
  test('are as many as retryTimesWhenSendFailed says, and one', async () => {
    for (const retries of [0, 1, 5]) {
      const at = await world(2)
      for (const broker of at.brokers) broker.onSend = () => ({ code: ResponseCode.systemBusy })
      const producer = await started(at, { retryTimesWhenSendFailed: retries })
      await assert.rejects(at.settle(producer.send(message)), { responseCode: 2 })
      assert.equal(
        counts(at).reduce((a, b) => a + b),
        retries + 1,
      )
      await at.settle(producer.close())
      await at.stop()
    }
  })

  test('go to another broker each time, as long as there is one', async () => {
    const at = await world(3)
    const order: string[] = []
    at.brokers.forEach((broker, n) => {
      broker.onSend = () => {
        order.push(`b${n}`)
        return { code: ResponseCode.systemBusy }
      }
    })
    const producer = await started(at, { retryTimesWhenSendFailed: 3 })
    await assert.rejects(at.settle(producer.send(message)))
    for (let n = 1; n < order.length; n++) assert.notEqual(order[n], order[n - 1])
    await at.settle(producer.close())
    await at.stop()
  })

  test('end when the time of the call is over, with the last reason as the cause', async () => {
    const at = await world(1)
    at.brokers[0]!.onSend = () => {
      at.clock.block(400)
      return { code: ResponseCode.systemBusy, remark: 'busy' }
    }
    const producer = await started(at, { retryTimesWhenSendFailed: 100, sendMsgTimeout: 1000 })
    await assert.rejects(at.settle(producer.send(message)), error => {
      const { code, cause } = error as { code: string; cause: unknown }
      assert.equal(code, 'TIMEOUT')
      assert.ok(cause instanceof ClientError)
      return true
    })
    assert.ok(counts(at)[0]! <= 4)
    await at.settle(producer.close())
    await at.stop()
  })

  test('of a call with its own time go by that', async () => {
    const at = await world(1)
    at.brokers[0]!.onSend = () => 'silence'
    const producer = await started(at)
    const begun = at.clock.monotonic()
    await assert.rejects(at.settle(producer.send(message, { timeoutMs: 250 })), { code: 'TIMEOUT' })
    assert.ok(at.clock.monotonic() - begun < 400)
    await at.settle(producer.close())
    await at.stop()
  })

  test('keep one unique id, so that consumers can tell duplicates', async () => {
    const at = await world(2)
    let first = true
    for (const broker of at.brokers)
      broker.onSend = () => {
        if (!first) return { code: ResponseCode.success }
        first = false
        return { code: ResponseCode.flushDiskTimeout }
      }
    const producer = await started(at, { retryAnotherBrokerWhenNotStoreOK: true })
    const result = await at.settle(producer.send(message))
    assert.equal(result.sendStatus, 'SEND_OK')
    const ids = at.brokers.flatMap(({ sends }) =>
      sends.map(({ properties }) => parseProperties(properties ?? '').get('UNIQ_KEY')),
    )
    assert.deepEqual(ids, [result.msgId, result.msgId].slice(0, ids.length))
    await at.settle(producer.close())
    await at.stop()
  })

  test('for a safer store end with what is stored: it is no failure', async () => {
    const at = await world(2)
    for (const broker of at.brokers) broker.onSend = () => ({ code: ResponseCode.flushDiskTimeout })
    const producer = await started(at, { retryAnotherBrokerWhenNotStoreOK: true, retryTimesWhenSendFailed: 2 })
    assert.equal((await at.settle(producer.send(message))).sendStatus, 'FLUSH_DISK_TIMEOUT')
    assert.equal(
      counts(at).reduce((a, b) => a + b),
      3,
    )
    await at.settle(producer.close())
    await at.stop()
  })

  test('that ask for a fresh route do not wait long for a name server that is away', async () => {
    const at = await world(2)
    const producer = await started(at)
    await at.settle(producer.send(message))
    at.network.partition('client', 'ns0')
    for (const broker of at.brokers.slice(0, 1)) broker.onSend = () => ({ code: ResponseCode.systemBusy })
    const begun = at.clock.monotonic()
    for (let n = 0; n < 4; n++) assert.equal(await brokerOf(at, producer), 'b1')
    assert.ok(at.clock.monotonic() - begun < 2000)
    at.network.healAll()
    await at.settle(producer.close())
    await at.stop()
  })

  test('after GO_AWAY go over a new connection', async () => {
    const at = await world(1)
    at.topics.set('TBW102', routeOf(at.brokers))
    const producer = await started(at)
    await at.settle(producer.send(message))
    const before = at.brokers[0]!.connection
    let isLeaving = true
    at.brokers[0]!.onSend = () => {
      if (!isLeaving) return { code: ResponseCode.success }
      isLeaving = false
      return { code: 1500 as ResponseCode, remark: 'going away' }
    }
    assert.equal((await at.settle(producer.send(message))).sendStatus, 'SEND_OK')
    assert.equal(before?.open, false)
    await at.settle(producer.close())
    await at.stop()
  })
})

describe('a broker that restarts', () => {
  /** Stops it, and starts it again after so long. */
  const restart = async (at: World, host: string, ms: number) => {
    const server = at.servers.get(host)!
    await at.settle(server.stop())
    at.clock.after(ms, () => void server.start())
  }

  test('is waited for within sendMsgTimeout: the tries are not spent while nobody is there', async () => {
    const at = await world(1)
    const producer = await started(at)
    await at.settle(producer.send(message))
    await restart(at, 'b0', 2000)
    const begun = at.clock.monotonic()
    const result = await at.settle(producer.send(message))
    const took = at.clock.monotonic() - begun
    assert.equal(result.sendStatus, 'SEND_OK')
    assert.ok(took >= 2000 && took < 3000, `${took} ms`)
    await at.settle(producer.close())
    await at.stop()
  })

  test('and is not there in time is named in the error, not only that the time is over', async () => {
    const at = await world(1)
    const producer = await started(at)
    await at.settle(producer.send(message))
    await at.settle(at.servers.get('b0')!.stop())
    const begun = at.clock.monotonic()
    await assert.rejects(at.settle(producer.send(message)), { code: 'NETWORK', retriable: true, message: /at b0/ })
    const took = at.clock.monotonic() - begun
    assert.ok(took >= 2900 && took < 3100, `${took} ms`)
    await at.settle(producer.close())
    await at.stop()
  })

  test('is not asked without a pause', async () => {
    const at = await world(1)
    const producer = await started(at)
    await at.settle(producer.send(message))
    await at.settle(at.servers.get('b0')!.stop())
    const { net } = at.runtime
    let connects = 0
    const connect = net.connect.bind(net)
    net.connect = (...args) => {
      connects++
      return connect(...args)
    }
    await assert.rejects(at.settle(producer.send(message)))
    assert.ok(connects >= 3 && connects <= 15, `${connects} connections`)
    await at.settle(producer.close())
    await at.stop()
  })

  test('beside another one costs no pause', async () => {
    const at = await world(2)
    const producer = await started(at)
    await at.settle(producer.send(message))
    await at.settle(at.servers.get('b0')!.stop())
    const begun = at.clock.monotonic()
    for (let n = 0; n < 4; n++) await at.settle(producer.send(message))
    assert.ok(at.clock.monotonic() - begun < 100)
    await at.settle(producer.close())
    await at.stop()
  })

  test('is not waited for by a send that is to be tried once', async () => {
    const at = await world(1)
    const producer = await started(at, { retryTimesWhenSendFailed: 0 })
    await at.settle(producer.send(message))
    await at.settle(at.servers.get('b0')!.stop())
    const begun = at.clock.monotonic()
    await assert.rejects(at.settle(producer.send(message)), { code: 'NETWORK' })
    assert.ok(at.clock.monotonic() - begun < 500)
    await at.settle(producer.close())
    await at.stop()
  })

  test('is waited for as long as retryFor says, each try for its own time; a signal ends it', async () => {
    const at = await world(1)
    const producer = await started(at)
    await at.settle(producer.send(message))
    await restart(at, 'b0', 20_000)
    const sends = [
      producer.send(message, { retryFor: 60_000 }),
      producer.send(message, { retryFor: 60_000, orderKey: 'k' }),
    ]
    const abort = new AbortController()
    const given = assert.rejects(producer.send(message, { retryFor: 60_000, signal: abort.signal }), /enough/)
    const short = assert.rejects(producer.send(message, { retryFor: 5000 }), { code: 'NETWORK' })
    await at.clock.advanceAsync(6000)
    await short
    abort.abort(new Error('enough'))
    await at.settle(given)
    const begun = at.clock.monotonic()
    for (const { sendStatus } of await at.settle(Promise.all(sends))) assert.equal(sendStatus, 'SEND_OK')
    assert.ok(at.clock.monotonic() - begun < 17_000)
    await at.settle(producer.close())
    await at.stop()
  })

  test('and refuses for a while is asked again and again with patience', async () => {
    const at = await world(1)
    const producer = await started(at, { retryFor: 30_000 })
    let refusals = 0
    at.brokers[0]!.onSend = () =>
      ++refusals <= 10 ? { code: ResponseCode.systemBusy, remark: 'busy' } : { code: ResponseCode.success }
    assert.equal((await at.settle(producer.send(message))).sendStatus, 'SEND_OK')
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.messageIllegal })
    await assert.rejects(at.settle(producer.send(message)), { responseCode: 13 })
    await at.settle(producer.close())
    await at.stop()
  })

  test('is not asked without pauses for that, which grow to a second', async () => {
    for (const orderKey of [undefined, 'k']) {
      const at = await world(1)
      const producer = await started(at, { retryFor: 30_000 })
      const askedAtMs: number[] = []
      at.brokers[0]!.onSend = () => {
        askedAtMs.push(at.clock.monotonic())
        return { code: askedAtMs.length <= 10 ? ResponseCode.systemBusy : ResponseCode.success }
      }
      await at.settle(producer.send(message, orderKey === undefined ? {} : { orderKey }))
      const pauses = askedAtMs.slice(1).map((atMs, n) => atMs - askedAtMs[n]!)
      assert.ok(
        pauses.every(pause => pause >= 25 && pause <= 1100),
        `${pauses}`,
      )
      assert.ok(
        pauses.slice(-3).every(pause => pause >= 500),
        `${pauses}`,
      )
      await at.settle(producer.close())
      await at.stop()
    }
  })

  test('and is silent takes no more than sendMsgTimeout of each try, and of the last one what is left', async () => {
    const at = await world(1)
    const producer = await started(at, { retryFor: 7000, sendMsgTimeout: 3000 })
    const askedAtMs: number[] = []
    const begunMs = at.clock.monotonic()
    at.brokers[0]!.onSend = () => {
      askedAtMs.push(at.clock.monotonic() - begunMs)
      return 'silence'
    }
    await assert.rejects(at.settle(producer.send(message)), { code: 'TIMEOUT' })
    const tookMs = at.clock.monotonic() - begunMs
    assert.ok(tookMs >= 6900 && tookMs <= 7100, `${tookMs} ms`)
    assert.ok(askedAtMs.length === 3 && askedAtMs[1]! >= 3000 && askedAtMs[1]! < 3600, `${askedAtMs}`)
    await at.settle(producer.close())
    await at.stop()
  })

  test('is not waited for any longer by who gives up: not until the pause is over', async () => {
    const at = await world(1)
    const producer = await started(at)
    await at.settle(producer.send(message))
    await at.settle(at.servers.get('b0')!.stop())
    // Behind some tries it is in a pause most of the time, of half a second at least.
    for (const afterMs of [5000, 5100, 5200, 5300, 5400]) {
      const abort = new AbortController()
      const given = assert.rejects(producer.send(message, { retryFor: 60_000, signal: abort.signal }), /enough/)
      await at.clock.advanceAsync(afterMs)
      const begunMs = at.clock.monotonic()
      abort.abort(new Error('enough'))
      await at.settle(given)
      assert.ok(at.clock.monotonic() - begunMs < 20, `${at.clock.monotonic() - begunMs} ms, after ${afterMs}`)
    }
    await at.settle(producer.close())
    await at.stop()
  })

  test('takes no time that is none: timeoutMs 0 is refused', async () => {
    const at = await world(1)
    const producer = await started(at)
    for (const timeoutMs of [0, -1, Number.NaN])
      await assert.rejects(at.settle(producer.send(message, { timeoutMs })), { code: 'ARGUMENT', message: /timeoutMs/ })
    await at.settle(producer.close())
    await at.stop()
  })
})

describe('slow brokers', () => {
  test('are left out for a while where sendLatencyEnable says so', async () => {
    const at = await world(2)
    const producer = await started(at, { sendLatencyEnable: true, latencyRules: latencyRules5 })
    at.brokers[0]!.onSend = () => {
      at.clock.block(700)
      return { code: ResponseCode.success }
    }
    while (counts(at)[0] === 0) await at.settle(producer.send(message))
    const slow = counts(at)[0]
    for (let n = 0; n < 6; n++) assert.equal(await brokerOf(at, producer), 'b1')
    assert.equal(counts(at)[0], slow)
    await at.clock.advanceAsync(2100)
    const later = new Set<string>()
    for (let n = 0; n < 4; n++) later.add(await brokerOf(at, producer))
    assert.ok(later.has('b0'))
    await at.settle(producer.close())
    await at.stop()
  })

  test('that failed are left out for ten seconds by the rules of 5.x', async () => {
    const at = await world(2)
    const producer = await started(at, { sendLatencyEnable: true, latencyRules: latencyRules5 })
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.systemBusy })
    while (counts(at)[0] === 0) await at.settle(producer.send(message))
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.success })
    for (let n = 0; n < 6; n++) assert.equal(await brokerOf(at, producer), 'b1')
    await at.clock.advanceAsync(10_100)
    const later = new Set<string>()
    for (let n = 0; n < 4; n++) later.add(await brokerOf(at, producer))
    assert.ok(later.has('b0'))
    await at.settle(producer.close())
    await at.stop()
  })

  test('take their turn where nothing is said', async () => {
    const at = await world(2)
    at.brokers[0]!.onSend = () => {
      at.clock.block(700)
      return { code: ResponseCode.success }
    }
    const producer = await started(at)
    for (let n = 0; n < 8; n++) await at.settle(producer.send(message))
    assert.deepEqual(counts(at), [4, 4])
    await at.settle(producer.close())
    await at.stop()
  })
})

describe('sends at a time', () => {
  test('are bounded by number: the next begins when one is answered', async () => {
    const at = await world(1)
    let running = 0
    let most = 0
    const producer = await started(at, { maxInFlight: 3 })
    const remoting = (
      producer as unknown as { instance: { remoting: { request: (...args: unknown[]) => Promise<unknown> } } }
    ).instance.remoting
    const request = remoting.request.bind(remoting)
    remoting.request = async (...args) => {
      most = Math.max(most, ++running)
      try {
        return await request(...args)
      } finally {
        running--
      }
    }
    await at.settle(Promise.all(Array.from({ length: 20 }, () => producer.send(message))))
    assert.deepEqual([most, counts(at)[0]], [3, 20])
    await at.settle(producer.close())
    await at.stop()
  })

  test('that failed give their room back', async () => {
    const at = await world(1)
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.messageIllegal })
    const producer = await started(at, { maxInFlight: 1 })
    for (let n = 0; n < 3; n++) await assert.rejects(at.settle(producer.send(message)), { responseCode: 13 })
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.success })
    await at.settle(producer.send(message))
    await at.settle(producer.close())
    await at.stop()
  })
})

describe('results', () => {
  const reply = (code: number, extFields: Record<string, string> = {}) => ({
    code,
    remark: undefined,
    extFields,
    body: undefined,
    version: 409,
    header: {
      msgId: 'OFFSET',
      queueId: 2,
      queueOffset: 7,
      transactionId: extFields['tx'],
      recallHandle: extFields['handle'],
    },
  })
  const sent = { msgId: 'ID', queue: { topic: 'ns%T', brokerName: 'b', queueId: 0 }, namespace: 'ns' }

  test('are stored messages, however safe; other codes are none', () => {
    for (const [code, status] of [
      [0, 'SEND_OK'],
      [10, 'FLUSH_DISK_TIMEOUT'],
      [11, 'SLAVE_NOT_AVAILABLE'],
      [12, 'FLUSH_SLAVE_TIMEOUT'],
    ] as const)
      assert.equal(sendResult(reply(code) as never, sent)?.sendStatus, status)
    for (const code of [1, 2, 13, 14, 17, 1500]) assert.equal(sendResult(reply(code) as never, sent), undefined)
  })

  test('name the queue in which the broker stored it, without the namespace', () => {
    const result = sendResult(reply(0) as never, sent)!
    assert.deepEqual(result.queue, { topic: 'T', brokerName: 'b', queueId: 2 })
    assert.deepEqual(
      [result.msgId, result.offsetMsgId, result.queueOffset, result.transactionId],
      ['ID', 'OFFSET', 7, 'ID'],
    )
  })

  test('have what brokers add: region, whether it is traced, transaction, recall handle', () => {
    const result = sendResult(reply(0, { MSG_REGION: 'r', TRACE_ON: 'false', tx: 'T1', handle: 'H' }) as never, sent)!
    assert.deepEqual(
      [result.regionId, result.traceOn, result.transactionId, result.recallHandle],
      ['r', false, 'T1', 'H'],
    )
  })
})

describe('options of a producer', () => {
  const base = { group: 'g', namesrvAddr: 'a:1' }

  test('have the defaults of Java', () => {
    const settings = producerSettings(base)
    assert.deepEqual(
      [
        ...[settings.sendMsgTimeout, settings.retryTimesWhenSendFailed, settings.maxMessageSize],
        ...[settings.compression.compressMsgBodyOverHowmuch, settings.compression.compressLevel],
        ...[settings.defaultTopicQueueNums, settings.createTopicKey, settings.sendLatencyEnable, settings.traceTopic],
      ],
      [3000, 2, 4_194_304, 4096, 5, 4, 'TBW102', false, undefined],
    )
  })

  test('are refused outside of what can be', () => {
    for (const wrong of [
      { sendMsgTimeout: 0 },
      { retryTimesWhenSendFailed: -1 },
      { maxMessageSize: 0 },
      { maxMessageSize: 17_000_000 },
      { compressLevel: 10 },
      { maxInFlight: 0 },
    ])
      assert.throws(() => producerSettings({ ...base, ...wrong }), { code: 'ARGUMENT' }, JSON.stringify(wrong))
  })

  test('of batches do not pass what a message may have', () => {
    assert.equal(producerSettings({ ...base, maxMessageSize: 1000 }).maxBatchBytes, 1000)
    assert.equal(producerSettings({ ...base, maxBatchBytes: 500 }).maxBatchBytes, 500)
  })

  test('of traces go to the system’s topic, or to one of your own', () => {
    assert.equal(producerSettings({ ...base, enableMsgTrace: true }).traceTopic, 'RMQ_SYS_TRACE_TOPIC')
    assert.equal(producerSettings({ ...base, enableMsgTrace: true, customizedTraceTopic: 'mine' }).traceTopic, 'mine')
    assert.equal(producerSettings({ ...base, customizedTraceTopic: 'mine' }).traceTopic, undefined)
  })
})
