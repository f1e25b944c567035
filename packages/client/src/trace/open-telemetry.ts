import process from 'node:process'
import { PropertyName, splitKeys } from '@skua-mq/protocol'
import { type Clock, NodeClock } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'
import type { TracedConsume, TracedSend, Tracer } from './tracer.ts'

/** What is used of `@opentelemetry/api`; hand the module over: `openTelemetry(api)`. Nothing is imported here. */
export interface OpenTelemetryApi {
  readonly trace: {
    getTracer(name: string): {
      startSpan(name: string, options: object, context?: unknown): OpenTelemetrySpan
    }
    setSpan(context: never, span: never): unknown
    getSpanContext(context: never): unknown
  }
  readonly context: {
    active(): unknown
    with<R>(context: never, run: () => R): R
  }
  readonly propagation: {
    inject(context: never, carrier: unknown): void
    extract(context: never, carrier: unknown): unknown
  }
  /** Of versions that have it: durations and counts. */
  readonly metrics?: {
    getMeter(name: string): {
      createHistogram(name: string, options?: object): { record(value: number, attributes?: object): void }
      createCounter(name: string, options?: object): { add(value: number, attributes?: object): void }
    }
  }
  readonly SpanKind: { readonly PRODUCER: number; readonly CONSUMER: number }
  readonly SpanStatusCode: { readonly ERROR: number }
}

export interface OpenTelemetrySpan {
  setAttribute(name: string, value: string | number): unknown
  setStatus(status: { code: number; message?: string }): unknown
  recordException(error: Error): void
  end(): void
}

/**
 * Spans and metrics by OpenTelemetry's messaging conventions (1.37); the context travels in message properties (`traceparent`, …).
 * With `OTEL_SEMCONV_STABILITY_OPT_IN=messaging/dup` the names of before 1.25 are there as well.
 */
export function openTelemetry(
  api: OpenTelemetryApi,
  name = '@skua-mq/client',
  clock: Pick<Clock, 'monotonic'> = new NodeClock(),
): Tracer {
  const optIn = (process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] ?? '').split(',')
  const isDup = optIn.some(word => word.trim() === 'messaging/dup')
  const parts = { api, clock, isDup, tracer: api.trace.getTracer(name), meters: metersOf(api, name) }
  return {
    send: send => traceSend(parts, send),
    consume: (consume, run) => traceConsume(parts, consume, run),
  }
}

interface Parts {
  readonly api: OpenTelemetryApi
  readonly clock: Pick<Clock, 'monotonic'>
  /** The names of before, too. */
  readonly isDup: boolean
  readonly tracer: ReturnType<OpenTelemetryApi['trace']['getTracer']>
  readonly meters: ReturnType<typeof metersOf>
}

function traceSend({ api, clock, isDup, tracer, meters }: Parts, send: TracedSend): ReturnType<Tracer['send']> {
  const began = clock.monotonic()
  const attributes = { ...sendAttributes(send), ...(isDup ? formerAttributes('publish', send.group) : {}) }
  const span = tracer.startSpan(`send ${send.topic}`, { kind: api.SpanKind.PRODUCER, attributes })
  const carrier: Record<string, string> = {}
  api.propagation.inject(api.trace.setSpan(api.context.active() as never, span as never) as never, carrier)
  for (const [key, value] of Object.entries(carrier)) if (value !== '') send.properties.set(key, value)
  return ({ result, error }) => {
    const what = result === undefined ? failure(error) : {}
    const where = { ...operation('send'), 'messaging.destination.name': send.topic, ...what }
    meters?.operations.record((clock.monotonic() - began) / 1000, where)
    meters?.sent.add(send.messages, where)
    if (result === undefined) fail(api, span, error)
    else {
      span.setAttribute('messaging.message.id', result.msgId)
      span.setAttribute('messaging.destination.partition.id', partitionOf(result.queue))
    }
    span.end()
  }
}

async function traceConsume<R>(parts: Parts, consume: TracedConsume, run: () => Promise<R>): Promise<R> {
  const { api, clock, isDup, tracer, meters } = parts
  const { topic, group, messages } = consume
  const [first] = messages
  const carried = (message: TracedConsume['messages'][number]) =>
    api.propagation.extract(api.context.active() as never, Object.fromEntries(message.properties))
  const isOne = messages.length === 1 && first !== undefined
  const parent = isOne ? carried(first) : api.context.active()
  // A batch has many senders, so its span is nobody's child, and links to all of them.
  const senders = isOne ? [] : messages.map(message => api.trace.getSpanContext(carried(message) as never))
  const options = {
    kind: api.SpanKind.CONSUMER,
    attributes: { ...consumeAttributes(consume), ...(isDup ? formerAttributes('process', group) : {}) },
    links: senders.filter(context => context).map(context => ({ context })),
  }
  const span = tracer.startSpan(`process ${topic}`, options, parent)
  const began = clock.monotonic()
  let what = {}
  try {
    return await api.context.with(api.trace.setSpan(parent as never, span as never) as never, run)
  } catch (error) {
    what = failure(error)
    fail(api, span, error)
    throw error
  } finally {
    const destination = { 'messaging.destination.name': topic, 'messaging.consumer.group.name': group }
    const where = { ...operation('process'), ...destination, ...what }
    meters?.processing.record((clock.monotonic() - began) / 1000, where)
    meters?.consumed.add(messages.length, where)
    span.end()
  }
}

function fail(api: OpenTelemetryApi, span: OpenTelemetrySpan, error: unknown): void {
  const thrown = error instanceof Error ? error : new Error(String(error))
  span.setAttribute('error.type', errorType(error))
  span.recordException(thrown)
  span.setStatus({ code: api.SpanStatusCode.ERROR, message: thrown.message })
}

const partitionOf = ({ brokerName, queueId }: { brokerName: string; queueId: number }): string =>
  `${brokerName}/${queueId}`

/** Seconds, as the conventions advise. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

function metersOf(api: OpenTelemetryApi, name: string) {
  const meter = api.metrics?.getMeter(name)
  if (meter === undefined) return undefined
  const seconds = { unit: 's', advice: { explicitBucketBoundaries: boundaries } }
  const messages = { unit: '{message}' }
  return {
    operations: meter.createHistogram('messaging.client.operation.duration', seconds),
    processing: meter.createHistogram('messaging.process.duration', seconds),
    sent: meter.createCounter('messaging.client.sent.messages', messages),
    consumed: meter.createCounter('messaging.client.consumed.messages', messages),
  }
}

const operation = (of: 'send' | 'process') => ({
  'messaging.system': 'rocketmq',
  'messaging.operation.name': of,
  'messaging.operation.type': of,
})

const failure = (error: unknown): Record<string, string> => ({ 'error.type': errorType(error) })

/** One of a few words, for metrics: the code of ours, else the class. */
const errorType = (error: unknown): string => {
  if (error instanceof ClientError)
    return error.responseCode === undefined ? error.code : `${error.code}_${error.responseCode}`
  return error instanceof Error ? error.name : '_OTHER'
}

const formerAttributes = (of: 'publish' | 'process', group: string) => ({
  'messaging.operation': of,
  'messaging.rocketmq.client_group': group,
})

const sendAttributes = (send: TracedSend) => ({
  ...operation('send'),
  'messaging.destination.name': send.topic,
  'messaging.client.group': send.group,
  'messaging.message.body.size': send.bodyBytes,
  ...rocketmqAttributes(send.properties),
  ...(send.messages > 1 ? { 'messaging.batch.message_count': send.messages } : {}),
})

const consumeAttributes = ({ topic, group, messages }: TracedConsume) => ({
  ...operation('process'),
  'messaging.destination.name': topic,
  'messaging.consumer.group.name': group,
  ...(messages.length === 1
    ? {
        'messaging.message.id': messages[0]!.msgId,
        'messaging.message.body.size': messages[0]!.body.length,
        'messaging.destination.partition.id': partitionOf(messages[0]!.queue),
        ...rocketmqAttributes(messages[0]!.properties),
      }
    : { 'messaging.batch.message_count': messages.length }),
})

/** What RocketMQ has beside other systems. */
function rocketmqAttributes(properties: ReadonlyMap<string, string>): Record<string, string | number | string[]> {
  const prefix = 'messaging.rocketmq.message'
  const found: Record<string, string | number | string[]> = { [`${prefix}.type`]: typeOf(properties) }
  const tag = properties.get(PropertyName.tags)
  const keys = properties.get(PropertyName.keys)
  const level = properties.get(PropertyName.delayTimeLevel)
  const deliverAt = properties.get(PropertyName.timerDeliverMs)
  if (tag !== undefined) found[`${prefix}.tag`] = tag
  if (keys !== undefined) found[`${prefix}.keys`] = splitKeys(keys)
  if (level !== undefined) found[`${prefix}.delay_time_level`] = Number(level)
  if (deliverAt !== undefined) found[`${prefix}.delivery_timestamp`] = Number(deliverAt)
  return found
}

function typeOf(properties: ReadonlyMap<string, string>): string {
  if (properties.get(PropertyName.transactionPrepared) === 'true') return 'transaction'
  const delayed = [PropertyName.delayTimeLevel, PropertyName.timerDelayMs, PropertyName.timerDeliverMs]
  return delayed.some(name => properties.has(name)) ? 'delay' : 'normal'
}
