import { printProperties } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { Draft } from '../message/outgoing.ts'
import { bounded, type ClientSettings } from '../options.ts'
import { type SendDiagnostic, sendChannel } from '../trace/diagnostics.ts'
import type { TraceDispatcher } from '../trace/dispatcher.ts'
import { traceSender } from '../trace/send-traces.ts'
import { Delivery, type DeliveryCall } from './delivery.ts'
import type { ProducerSettings } from './options.ts'
import { PublishRoutes } from './publish-routes.ts'
import type { SendResult } from './result.ts'
import { callTimeout, Sender } from './send.ts'
import { pubRecord } from './send-trace.ts'
import { SendWindow } from './window.ts'

const maxPropertiesBytes = 32_767
/** A day. */
const maxCallMs = 86_400_000

export interface ProducerCoreParts {
  readonly instance: ClientInstance
  readonly client: ClientSettings
  readonly settings: ProducerSettings
  /** On the wire. */
  readonly group: string
  readonly emit: EmitEvent
}

interface Over {
  readonly messages: number
  readonly result?: SendResult
  readonly error?: unknown
}

/** What each call to a broker takes. */
export interface CallOptions {
  /** For this call, in ms, 1 at least; default sendMsgTimeout. */
  readonly timeoutMs?: number | undefined
  /** Gives up waiting; the message may be sent all the same. */
  readonly signal?: AbortSignal | undefined
}

/** The parts of a running producer, and what each send goes through: window, trace, delivery. */
export class ProducerCore {
  readonly parts: ProducerCoreParts
  readonly publishRoutes: PublishRoutes
  readonly sender: Sender
  readonly delivery: Delivery
  readonly traces: TraceDispatcher | undefined
  private readonly window: SendWindow
  /** Topics that were sent to: their routes are kept fresh. */
  readonly topics = new Set<string>()
  private readonly registered = new Set<string>()

  constructor(parts: ProducerCoreParts) {
    this.parts = parts
    const { instance, settings, client, group } = parts
    this.publishRoutes = new PublishRoutes(instance.routes, settings)
    this.sender = new Sender(instance, { template: settings, namespace: client.namespace })
    this.delivery = new Delivery({ instance, publishRoutes: this.publishRoutes, sender: this.sender, settings, group })
    this.window = new SendWindow(settings)
    const topic = settings.traceTopic
    const { emit } = parts
    this.traces = topic === undefined ? undefined : traceSender(instance, { topic, group, kind: 'PRODUCE', emit })
    this.topics.add(settings.createTopicKey)
  }

  /** Throws ClientError ARGUMENT. */
  call(options: CallOptions & { readonly retryFor?: number | undefined }): DeliveryCall {
    const { settings, instance } = this.parts
    const timeoutMs = bounded('timeoutMs', options.timeoutMs ?? settings.sendMsgTimeout, { min: 1, max: maxCallMs })
    const retryFor = bounded('retryFor', options.retryFor ?? settings.retryFor ?? 0, { min: 0, max: maxCallMs })
    const deadline = instance.clock.monotonic() + Math.max(timeoutMs, retryFor)
    return { timeoutMs, deadline, isPatient: retryFor > 0, signal: options.signal }
  }

  /** Lets the send in, tells the tracers, and runs it. */
  async run(
    draft: Draft,
    call: DeliveryCall,
    work: { messages?: number; send: () => Promise<SendResult> },
  ): Promise<SendResult> {
    if (Buffer.byteLength(printProperties(draft.properties)) > maxPropertiesBytes) {
      throw new ClientError('ARGUMENT', `the properties are longer than ${maxPropertiesBytes} bytes`)
    }
    this.topics.add(draft.topic)
    const leave = await this.enter(draft, call)
    const { client, group } = this.parts
    const end = client.tracer?.send({
      topic: draft.topic,
      group,
      properties: draft.properties,
      bodyBytes: draft.body.length,
      messages: work.messages ?? 1,
    })
    const began = { atMs: this.parts.instance.clock.now(), at: this.parts.instance.clock.monotonic() }
    try {
      const result = await work.send()
      end?.({ result })
      this.over(draft, began, { messages: work.messages ?? 1, result })
      return result
    } catch (error) {
      end?.({ error })
      this.over(draft, began, { messages: work.messages ?? 1, error })
      throw error
    } finally {
      leave()
    }
  }

  /** Knows the topic's route, and makes this producer known to its brokers, which ask and reply only then. */
  async register(topic: string, signal?: AbortSignal): Promise<void> {
    this.topics.add(topic)
    await this.publishRoutes.find(topic, signal)
    if (this.registered.has(topic)) return
    await this.parts.instance.heartbeats.beat()
    this.registered.add(topic)
  }

  private async enter(draft: Draft, call: DeliveryCall): Promise<() => void> {
    const room = this.window.enter(draft.body.length)
    if (typeof room === 'function') return room
    const late = new AbortController()
    const done = new AbortController()
    const outside = () => late.abort(call.signal?.reason)
    call.signal?.addEventListener('abort', outside, { once: true })
    if (call.signal?.aborted) outside()
    delay(this.parts.instance.clock, this.delivery.leftMs(call), done.signal).then(
      () => late.abort(callTimeout(draft.topic, call.timeoutMs)),
      () => {},
    )
    return this.awaited(room, late.signal).finally(() => {
      done.abort()
      call.signal?.removeEventListener('abort', outside)
    })
  }

  /** Room that comes too late is given back at once. */
  private awaited(room: Promise<() => void>, late: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (late.aborted) reject(late.reason)
      late.addEventListener('abort', () => reject(late.reason), { once: true })
      room.then(leave => (late.aborted ? leave() : resolve(leave)), reject)
    })
  }

  private over(draft: Draft, began: { atMs: number; at: number }, { messages, result, error }: Over): void {
    this.trace(draft, began, result)
    if (!sendChannel.hasSubscribers) return
    const durationMs = this.parts.instance.clock.monotonic() - began.at
    const { topic, msgId, body } = draft
    const { group } = this.parts
    const told = { topic, group, msgId, messages, bodyBytes: body.length, durationMs, result, error }
    sendChannel.publish(told satisfies SendDiagnostic)
  }

  private trace(draft: Draft, began: { atMs: number; at: number }, result?: SendResult): void {
    if (this.traces === undefined || result?.traceOn === false) return
    const { instance, client, group } = this.parts
    const storeHost = result === undefined ? '' : (instance.routes.master(result.queue.brokerName) ?? '')
    const costMs = instance.clock.monotonic() - began.at
    this.traces.add(
      pubRecord(draft, { result, beganAtMs: began.atMs, costMs, group, namespace: client.namespace, storeHost }),
    )
  }
}
