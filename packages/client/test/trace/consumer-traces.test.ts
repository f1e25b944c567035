import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { consumerSendMsgBack, parseProperties, ResponseCode } from '@skua-mq/protocol'
import { ok, route } from '@skua-mq/remoting'
import { SimClock } from '@skua-mq/runtime'
import {
  ClientError,
  type OpenTelemetryApi,
  openTelemetry,
  PushConsumer,
  type PushConsumerOptions,
} from '../../src/index.ts'
import { TraceDispatcher } from '../../src/trace/dispatcher.ts'
import type { TraceRecord } from '../../src/trace/record.ts'
import { records } from '../records.ts'
import { routeOf, world } from '../scripted-cluster.ts'

/** A traced consumer of a broker with these messages; gives the fields of what it wrote. */
async function traced(options: Partial<PushConsumerOptions> = {}, properties: Record<string, string> = {}) {
  const bodies: string[] = []
  const at = await world(1, { routes: [route(consumerSendMsgBack, () => ok({}))] })
  at.topics.set('RMQ_SYS_TRACE_TOPIC', routeOf(at.brokers))
  const broker = at.brokers[0]!
  broker.storedOffset = () => 0
  broker.onPull = ({ topic, queueId, queueOffset }) =>
    topic === 'T' && queueId === 0 && queueOffset === 0
      ? { code: ResponseCode.success, next: 2, body: records(0, 2, { properties: { KEYS: 'k', ...properties } }) }
      : 'held'
  const { runtime, namesrvAddr } = at
  const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg', enableMsgTrace: true, ...options })
    .subscribe('T')
    .onMessage(({ msgId }) => {
      if (msgId === 'ID1') throw new Error('down')
    })
  await at.settle(consumer.start())
  const remoting = (consumer as unknown as { instance: { remoting: { request: (...args: unknown[]) => unknown } } })
    .instance.remoting
  const request = remoting.request.bind(remoting)
  remoting.request = (...args) => {
    const { topic } = args[2] as { topic?: string }
    const { body } = (args[3] ?? {}) as { body?: Uint8Array }
    if (topic === 'RMQ_SYS_TRACE_TOPIC' && body !== undefined) bodies.push(Buffer.from(body).toString())
    return request(...args)
  }
  await at.clock.advanceAsync(100)
  await at.settle(consumer.close())
  await at.stop()
  const rows = bodies
    .join('')
    .split('\u0002')
    .filter(text => text !== '')
    .map(text => text.split('\u0001'))
  return { rows, sends: broker.sends.filter(({ topic }) => topic === 'RMQ_SYS_TRACE_TOPIC') }
}

describe('traces of consumption', () => {
  test('are two records for each message: before, and after with how it went', async () => {
    const { rows, sends } = await traced()
    const before = rows.filter(([kind]) => kind === 'SubBefore')
    const after = rows.filter(([kind]) => kind === 'SubAfter')
    // Kind, time, region, group, request, message, tries, keys.
    assert.deepEqual(before.map(row => [row[2], row[3], row[5], row[6], row[7]]).sort(), [
      ['DefaultRegion', 'cg', 'ID0', '0', 'k'],
      ['DefaultRegion', 'cg', 'ID1', '0', 'k'],
    ])
    // Kind, request, message, ms, success, keys, code, time, group.
    assert.deepEqual(after.map(row => [row[2], row[4], row[5], row[6], row[8]]).sort(), [
      ['ID0', 'true', 'k', '0', 'cg'],
      ['ID1', 'false', 'k', '2', 'cg'],
    ])
    for (const row of after) assert.equal(before.find(([, , , , request]) => request === row[1])?.[5], row[2])
    assert.equal(sends.length, 1)
    assert.match(sends[0]!.producerGroup, /^_INNER_TRACE_PRODUCER-cg-CONSUME/)
    assert.deepEqual(
      parseProperties(sends[0]!.properties ?? '')
        .get('KEYS')
        ?.split(' ')
        .sort(),
      ['ID0', 'ID1', 'k'],
    )
  })

  test('are left out for messages whose broker says so', async () => {
    const { rows } = await traced({}, { TRACE_ON: 'false' })
    assert.deepEqual(rows, [])
  })

  test('tell the region of the broker', async () => {
    const { rows } = await traced({}, { MSG_REGION: 'east' })
    assert.ok(rows.filter(([kind]) => kind === 'SubBefore').every(row => row[2] === 'east'))
  })

  test('are none where they are not wished', async () => {
    const { rows, sends } = await traced({ enableMsgTrace: false })
    assert.deepEqual([rows, sends], [[], []])
  })
})

describe('records that wait', () => {
  const record = {
    kind: 'SubAfter',
    requestId: 'r',
    msgId: 'm',
    costMs: 1,
    success: true,
    contextCode: 0,
    timestampMs: 1,
    group: 'g',
  } as const satisfies TraceRecord

  test('are no more than 1024: what comes beyond is dropped, and told with the next message', async () => {
    const clock = new SimClock()
    const dropped: { records: number }[] = []
    let go = () => {}
    const gate = new Promise<void>(resolve => {
      go = resolve
    })
    const sent: number[] = []
    const traces = new TraceDispatcher({
      clock,
      topic: 'X',
      emit: (_name, fields) => void dropped.push(fields as { records: number }),
      send: async ({ body }) => {
        await gate
        sent.push(body.split('\u0002').length - 1)
      },
    })
    Object.assign(traces, { queue: Array.from({ length: 1024 }, () => record) })
    for (let n = 0; n < 5; n++) traces.add(record)
    go()
    await traces.flush()
    assert.deepEqual(dropped, [{ topic: 'X', records: 5 }])
    assert.equal(
      sent.reduce((a, b) => a + b, 0),
      1024,
    )
    assert.ok(sent.every(count => count <= 100))
    await traces.stop()
  })

  test('that cannot be sent are lost and told; the next ones go out', async () => {
    const clock = new SimClock()
    const dropped: unknown[] = []
    let fails = true
    let sent = 0
    const traces = new TraceDispatcher({
      clock,
      topic: 'X',
      emit: (_name, fields) => void dropped.push((fields as { error: Error }).error.message),
      send: async () => {
        if (fails) throw new Error('no route')
        sent++
      },
    })
    traces.add(record)
    await traces.flush()
    fails = false
    traces.add(record)
    await traces.flush()
    assert.deepEqual([dropped, sent], [['no route'], 1])
    await traces.stop()
    assert.equal(clock.nextInMs, undefined)
  })
})

describe('spans of OpenTelemetry', () => {
  function api() {
    const spans: {
      name: string
      kind: unknown
      links: unknown[]
      parent: unknown
      attributes: Record<string, unknown>
    }[] = []
    const run: string[] = []
    const of: OpenTelemetryApi = {
      trace: {
        getTracer: name => ({
          startSpan: (span, options, parent) => {
            const {
              kind,
              links = [],
              attributes = {},
            } = options as { kind: unknown; links?: unknown[]; attributes?: Record<string, unknown> }
            spans.push({ name: `${name} ${span}`, kind, links, parent, attributes })
            return {
              setAttribute: (key, value) => {
                attributes[key] = value
              },
              setStatus: ({ message }) => void run.push(`status ${message}`),
              recordException: error => void run.push(`exception ${error.message}`),
              end: () => void run.push('end'),
            }
          },
        }),
        setSpan: context => ({ within: context }),
        getSpanContext: context => (context as { from?: string }).from,
      },
      context: {
        active: () => 'active',
        with: (context, call) => {
          run.push(`with ${JSON.stringify(context)}`)
          return call()
        },
      },
      propagation: {
        inject: (_context, carrier) => Object.assign(carrier as object, { traceparent: 'tp', tracestate: '' }),
        extract: (_context, carrier) => ({ from: (carrier as { traceparent?: string }).traceparent }),
      },
      SpanKind: { PRODUCER: 3, CONSUMER: 4 },
      SpanStatusCode: { ERROR: 2 },
    }
    return { of, spans, run }
  }
  const received = (msgId: string, traceparent?: string) =>
    ({
      msgId,
      body: Buffer.from('xy'),
      queue: { topic: 'T', brokerName: 'b', queueId: 0 },
      properties: new Map(traceparent === undefined ? [] : [['traceparent', traceparent]]),
    }) as never

  test('of one message are children of the sender; of a batch they link to all senders', async () => {
    const { of, spans } = api()
    const tracer = openTelemetry(of, 'mine')
    await tracer.consume({ topic: 'T', group: 'g', messages: [received('1', 'a')] }, async () => {})
    await tracer.consume(
      { topic: 'T', group: 'g', messages: [received('1', 'a'), received('2'), received('3', 'c')] },
      async () => {},
    )
    assert.deepEqual(
      spans.map(({ name, kind, parent, links }) => [name, kind, parent, links]),
      [
        ['mine process T', 4, { from: 'a' }, []],
        ['mine process T', 4, 'active', [{ context: 'a' }, { context: 'c' }]],
      ],
    )
    assert.deepEqual(
      [spans[0]!.attributes['messaging.message.id'], spans[1]!.attributes['messaging.batch.message_count']],
      ['1', 3],
    )
  })

  test('of a send carry what is not empty, and end with what came of it', () => {
    const { of, spans, run } = api()
    const tracer = openTelemetry(of)
    const properties = new Map<string, string>()
    const send = { topic: 'T', group: 'g', properties, bodyBytes: 5, messages: 3 }
    tracer.send(send)({ result: { msgId: 'M', queue: { topic: 'T', brokerName: 'b', queueId: 2 } } as never })
    assert.deepEqual([...properties], [['traceparent', 'tp']])
    assert.deepEqual(
      [spans[0]!.attributes['messaging.message.id'], spans[0]!.attributes['messaging.batch.message_count']],
      ['M', 3],
    )
    tracer.send(send)({ error: 'just text' })
    assert.deepEqual(run, ['end', 'exception just text', 'status just text', 'end'])
  })

  test('have the attributes of the conventions, and of RocketMQ', async () => {
    const { of, spans } = api()
    const tracer = openTelemetry(of)
    const properties = new Map([
      ['TAGS', 'A'],
      ['KEYS', 'k1 k2'],
      ['DELAY', '3'],
    ])
    tracer.send({ topic: 'T', group: 'g', properties, bodyBytes: 5, messages: 1 })({ error: new TypeError('x') })
    const { links: _links, ...sent } = spans[0]!
    assert.deepEqual(sent.attributes, {
      'messaging.system': 'rocketmq',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'T',
      'messaging.client.group': 'g',
      'messaging.message.body.size': 5,
      'messaging.rocketmq.message.type': 'delay',
      'messaging.rocketmq.message.tag': 'A',
      'messaging.rocketmq.message.keys': ['k1', 'k2'],
      'messaging.rocketmq.message.delay_time_level': 3,
      'error.type': 'TypeError',
    })
    await tracer.consume({ topic: 'T', group: 'g', messages: [received('1')] }, async () => {})
    const { attributes } = spans[1]!
    assert.deepEqual(
      [
        attributes['messaging.consumer.group.name'],
        attributes['messaging.destination.partition.id'],
        attributes['messaging.operation'],
      ],
      ['g', 'b/0', undefined],
    )
  })

  test('have former names as well where the environment asks for both', () => {
    const before = process.env['OTEL_SEMCONV_STABILITY_OPT_IN']
    try {
      process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] = 'http, messaging/dup'
      const { of, spans } = api()
      openTelemetry(of).send({ topic: 'T', group: 'g', properties: new Map(), bodyBytes: 5, messages: 1 })
      const { attributes } = spans[0]!
      assert.deepEqual(
        [
          attributes['messaging.operation'],
          attributes['messaging.rocketmq.client_group'],
          attributes['messaging.operation.name'],
        ],
        ['publish', 'g', 'send'],
      )
    } finally {
      if (before === undefined) delete process.env['OTEL_SEMCONV_STABILITY_OPT_IN']
      else process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] = before
    }
  })

  test('come with metrics where the API has them: durations in seconds, and counts, by operation and what went wrong', async () => {
    const { of } = api()
    const recorded: [string, number, Record<string, unknown>][] = []
    const instrument =
      (name: string) =>
      (value: number, attributes: object = {}) =>
        void recorded.push([name, value, attributes as Record<string, unknown>])
    const withMetrics: OpenTelemetryApi = {
      ...of,
      metrics: {
        getMeter: () => ({
          createHistogram: name => ({ record: instrument(name) }),
          createCounter: name => ({ add: instrument(name) }),
        }),
      },
    }
    const tracer = openTelemetry(withMetrics)
    const send = { topic: 'T', group: 'g', properties: new Map(), bodyBytes: 5, messages: 3 }
    tracer.send(send)({ error: new ClientError('BROKER', 'busy', { responseCode: 2 }) })
    tracer.send(send)({ result: { msgId: 'M', queue: { topic: 'T', brokerName: 'b', queueId: 2 } } as never })
    await tracer.consume({ topic: 'T', group: 'g', messages: [received('1'), received('2')] }, async () => {})
    assert.deepEqual(
      recorded.map(([name, value, attributes]) => [
        name,
        name.endsWith('duration') ? value >= 0 && value < 5 : value,
        attributes['messaging.operation.name'],
        attributes['error.type'],
      ]),
      [
        ['messaging.client.operation.duration', true, 'send', 'BROKER_2'],
        ['messaging.client.sent.messages', 3, 'send', 'BROKER_2'],
        ['messaging.client.operation.duration', true, 'send', undefined],
        ['messaging.client.sent.messages', 3, 'send', undefined],
        ['messaging.process.duration', true, 'process', undefined],
        ['messaging.client.consumed.messages', 2, 'process', undefined],
      ],
    )
  })

  test('end when a handler throws, which goes on to whoever runs it', async () => {
    const { of, run } = api()
    const failing = openTelemetry(of).consume({ topic: 'T', group: 'g', messages: [received('1')] }, async () => {
      throw new Error('down')
    })
    await assert.rejects(failing, /down/)
    assert.deepEqual(run.slice(1), ['exception down', 'status down', 'end'])
  })
})
