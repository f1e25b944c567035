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
  readonly SpanKind: { readonly PRODUCER: number; readonly CONSUMER: number }
  readonly SpanStatusCode: { readonly ERROR: number }
}

export interface OpenTelemetrySpan {
  setAttribute(name: string, value: string | number): unknown
  setStatus(status: { code: number; message?: string }): unknown
  recordException(error: Error): void
  end(): void
}

/** Spans by OpenTelemetry's messaging conventions; the context travels in message properties (`traceparent`, …). */
export function openTelemetry(api: OpenTelemetryApi, name = '@skua-mq/client'): Tracer {
  const tracer = api.trace.getTracer(name)
  const fail = (span: OpenTelemetrySpan, error: unknown) => {
    const thrown = error instanceof Error ? error : new Error(String(error))
    span.recordException(thrown)
    span.setStatus({ code: api.SpanStatusCode.ERROR, message: thrown.message })
  }
  return {
    send: send => {
      const span = tracer.startSpan(`send ${send.topic}`, {
        kind: api.SpanKind.PRODUCER,
        attributes: sendAttributes(send),
      })
      const carrier: Record<string, string> = {}
      api.propagation.inject(api.trace.setSpan(api.context.active() as never, span as never) as never, carrier)
      for (const [key, value] of Object.entries(carrier)) if (value !== '') send.properties.set(key, value)
      return ({ result, error }) => {
        if (result !== undefined) span.setAttribute('messaging.message.id', result.msgId)
        else fail(span, error)
        span.end()
      }
    },
    consume: async (consume, run) => {
      const [first] = consume.messages
      const carried = (message: TracedConsume['messages'][number]) =>
        api.propagation.extract(api.context.active() as never, Object.fromEntries(message.properties))
      const parent = consume.messages.length === 1 && first !== undefined ? carried(first) : api.context.active()
      // A batch has many senders, so its span is nobody's child, and links to all of them.
      const links =
        consume.messages.length === 1
          ? []
          : consume.messages.map(message => ({ context: api.trace.getSpanContext(carried(message) as never) }))
      const options = {
        kind: api.SpanKind.CONSUMER,
        attributes: consumeAttributes(consume),
        links: links.filter(link => link.context),
      }
      const span = tracer.startSpan(`process ${consume.topic}`, options, parent)
      try {
        return await api.context.with(api.trace.setSpan(parent as never, span as never) as never, run)
      } catch (error) {
        fail(span, error)
        throw error
      } finally {
        span.end()
      }
    },
  }
}

const sendAttributes = (send: TracedSend) => ({
  'messaging.system': 'rocketmq',
  'messaging.operation.type': 'send',
  'messaging.operation.name': 'send',
  'messaging.destination.name': send.topic,
  'messaging.client.group': send.group,
  'messaging.message.body.size': send.bodyBytes,
  ...(send.messages > 1 ? { 'messaging.batch.message_count': send.messages } : {}),
})

const consumeAttributes = ({ topic, group, messages }: TracedConsume) => ({
  'messaging.system': 'rocketmq',
  'messaging.operation.type': 'process',
  'messaging.operation.name': 'process',
  'messaging.destination.name': topic,
  'messaging.consumer.group.name': group,
  ...(messages.length === 1
    ? { 'messaging.message.id': messages[0]!.msgId, 'messaging.message.body.size': messages[0]!.body.length }
    : { 'messaging.batch.message_count': messages.length }),
})
