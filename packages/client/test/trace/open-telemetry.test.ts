import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OpenTelemetryApi, openTelemetry } from '../../src/trace/open-telemetry.ts'

/** As much of `@opentelemetry/api` as is used, written down. */
function recorder() {
  const spans: {
    name: string
    parent: unknown
    attributes: Record<string, unknown>
    errors: string[]
    ended: boolean
  }[] = []
  const api: OpenTelemetryApi = {
    trace: {
      getTracer: () => ({
        startSpan: (name, options, parent) => {
          const { attributes } = options as { attributes: Record<string, unknown> }
          const span = { name, parent, attributes: { ...attributes }, errors: [] as string[], ended: false }
          spans.push(span)
          return {
            setAttribute: (key, value) => {
              span.attributes[key] = value
            },
            setStatus: () => {},
            recordException: error => span.errors.push(error.message),
            end: () => {
              span.ended = true
            },
          }
        },
      }),
      setSpan: () => ({ id: 'span' }),
      getSpanContext: () => undefined,
    },
    context: { active: () => ({ id: 'active' }), with: (_context, run) => run() },
    propagation: {
      inject: (context, carrier) => Object.assign(carrier as object, { traceparent: (context as { id: string }).id }),
      extract: (_context, carrier) => ({ from: (carrier as { traceparent?: string }).traceparent }),
    },
    SpanKind: { PRODUCER: 3, CONSUMER: 4 },
    SpanStatusCode: { ERROR: 2 },
  }
  return { api, spans }
}

test("the sender's context travels in the message, and is the parent of the consumer's span", async () => {
  const { api, spans } = recorder()
  const tracer = openTelemetry(api)
  const properties = new Map<string, string>()
  const end = tracer.send({ topic: 'T', group: 'pg', properties, bodyBytes: 5, messages: 1 })
  end({ result: { msgId: 'ID', queue: { topic: 'T', brokerName: 'b', queueId: 0 } } as never })
  assert.equal(properties.get('traceparent'), 'span')
  const message = { msgId: 'ID', properties, queue: {} as never, body: Buffer.from('hello') }
  assert.equal(await tracer.consume({ topic: 'T', group: 'cg', messages: [message] }, async () => 'done'), 'done')
  assert.deepEqual(
    spans.map(span => [span.name, span.ended, span.attributes['messaging.message.id']]),
    [
      ['send T', true, 'ID'],
      ['process T', true, 'ID'],
    ],
  )
  assert.deepEqual(spans[1]?.parent, { from: 'span' })
})

test('failures are recorded, thrown on, and end the span', async () => {
  const { api, spans } = recorder()
  const tracer = openTelemetry(api)
  tracer.send({ topic: 'T', group: 'pg', properties: new Map(), bodyBytes: 1, messages: 1 })({ error: new Error('no') })
  const failing = tracer.consume({ topic: 'T', group: 'cg', messages: [] }, async () =>
    Promise.reject(new Error('bad')),
  )
  await assert.rejects(failing, /bad/)
  assert.deepEqual(
    spans.map(span => [span.errors, span.ended]),
    [
      [['no'], true],
      [['bad'], true],
    ],
  )
})
