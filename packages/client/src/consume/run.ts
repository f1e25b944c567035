import { type MessageQueue, PropertyName } from '@skua-mq/protocol'
import { ClientError, reasonOf } from '../error.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { BodyCodec } from '../message/message.ts'
import type { ReceivedMessage } from '../message/received.ts'
import { unwrapName } from '../name/namespace.ts'
import type { ClientSettings } from '../options.ts'
import { type ConsumeDiagnostic, consumeChannel } from '../trace/diagnostics.ts'
import type { TraceDispatcher } from '../trace/dispatcher.ts'
import { TraceContextCode } from '../trace/record.ts'
import type { ConsumeStats } from './consume-stats.ts'
import type { ConsumeContext, Listener, RunOutcome } from './handler.ts'
import type { PushSettings } from './push-options.ts'
import { beginVerdicts } from './verdicts.ts'

export interface RunParts {
  readonly instance: ClientInstance
  readonly client: ClientSettings
  readonly settings: PushSettings
  /** As the application knows it. */
  readonly group: string
  readonly codec: BodyCodec<unknown> | undefined
  readonly stats: ConsumeStats
  readonly traces: TraceDispatcher | undefined
  readonly emit: EmitEvent
  /** Aborted when the consumer closes. */
  readonly signal: AbortSignal
  listener(): Listener
  handlerName(): string
}

/** Runs the handler over a batch: with values decoded, traced, timed, and watched for blocking the loop. */
export class HandlerRun {
  private readonly parts: RunParts

  constructor(parts: RunParts) {
    this.parts = parts
  }

  /** Never rejects: what the handler throws is in the outcome, and told as an event. */
  async run(queue: MessageQueue, messages: readonly ReceivedMessage<unknown>[]): Promise<RunOutcome> {
    const { instance, client, group, stats, emit } = this.parts
    const context = this.context(queue, messages.length)
    const began = instance.clock.monotonic()
    const startedAt = String(instance.clock.now())
    for (const message of messages) message.properties.set(PropertyName.consumeStartTimestamp, startedAt)
    beginVerdicts(messages)
    const requestId = this.traceBefore(messages)
    let outcome: RunOutcome
    try {
      const call = () => this.call(messages, context)
      const { topic } = messages[0]!
      const status = await (client.tracer?.consume({ topic, group, messages: messages as never }, call) ?? call())
      outcome = { status: status ?? (this.parts.settings.orderly ? 'SUCCESS' : 'CONSUME_SUCCESS'), context }
    } catch (error) {
      const status = this.parts.settings.orderly ? 'SUSPEND_CURRENT_QUEUE_A_MOMENT' : 'RECONSUME_LATER'
      outcome = { status, context, error }
      const msgIds = messages.map(message => message.msgId)
      emit('handlerFailed', { group, topic: messages[0]!.topic, msgIds, error })
    }
    const costMs = instance.clock.monotonic() - began
    stats.consumed(messages[0]!.topic, { count: messages.length, costMs, ok: succeeded(outcome) })
    this.traceAfter(messages, { requestId, outcome, costMs })
    if (consumeChannel.hasSubscribers) {
      const { status, error } = outcome
      const told = { topic: messages[0]!.topic, group, messages, durationMs: costMs, status, error }
      consumeChannel.publish(told satisfies ConsumeDiagnostic)
    }
    return outcome
  }

  private async call(messages: readonly ReceivedMessage<unknown>[], context: ConsumeContext) {
    const { codec, instance, settings, group, emit } = this.parts
    if (codec !== undefined) for (const message of messages) message.value = await decoded(codec, message)
    const began = instance.clock.monotonic()
    const answer = this.parts.listener()(messages, context)
    const blockedMs = instance.clock.monotonic() - began
    if (blockedMs > settings.handlerBlockedMs) {
      emit('handlerBlocked', { group, topic: messages[0]!.topic, handler: this.parts.handlerName(), blockedMs })
    }
    return checkedAnswer(await answer)
  }

  private context(queue: MessageQueue, count: number): ConsumeContext {
    const { client, settings, signal } = this.parts
    return {
      queue: { ...queue, topic: unwrapName(client.namespace, queue.topic) },
      signal,
      ackIndex: count - 1,
      delayLevelWhenNextConsume: 0,
      autoCommit: true,
      suspendCurrentQueueTimeMillis: settings.suspendCurrentQueueTimeMillis,
    }
  }

  private traced(messages: readonly ReceivedMessage<unknown>[]): readonly ReceivedMessage<unknown>[] {
    if (this.parts.traces === undefined) return []
    return messages.filter(message => message.properties.get(PropertyName.traceSwitch) !== 'false')
  }

  private traceBefore(messages: readonly ReceivedMessage<unknown>[]): string {
    const { instance, traces, group } = this.parts
    const requestId = traces === undefined ? '' : instance.newId()
    for (const { msgId, properties, reconsumeTimes: retryTimes } of this.traced(messages)) {
      const keys = properties.get(PropertyName.keys)
      const regionId = properties.get(PropertyName.msgRegion) ?? 'DefaultRegion'
      const timestampMs = instance.clock.now()
      traces!.add({ kind: 'SubBefore', timestampMs, regionId, group, requestId, msgId, retryTimes, keys })
    }
    return requestId
  }

  private traceAfter(
    messages: readonly ReceivedMessage<unknown>[],
    ran: { requestId: string; outcome: RunOutcome; costMs: number },
  ): void {
    const { instance, traces, group } = this.parts
    const success = succeeded(ran.outcome)
    const { exception, failed, success: fine } = TraceContextCode
    const contextCode = success ? fine : ran.outcome.error === undefined ? failed : exception
    const costMs = Math.round(ran.costMs / messages.length)
    for (const { msgId, properties } of this.traced(messages)) {
      const keys = properties.get(PropertyName.keys)
      const timestampMs = instance.clock.now()
      const { requestId } = ran
      traces!.add({ kind: 'SubAfter', requestId, msgId, costMs, success, keys, contextCode, timestampMs, group })
    }
  }
}

async function decoded(codec: BodyCodec<unknown>, { msgId, body }: ReceivedMessage<unknown>): Promise<unknown> {
  try {
    return await codec.decode(body)
  } catch (error) {
    throw new ClientError('MESSAGE', `the codec cannot read message ${msgId}: ${reasonOf(error)}`, { cause: error })
  }
}

const answers: ReadonlySet<unknown> = new Set([
  undefined,
  'CONSUME_SUCCESS',
  'RECONSUME_LATER',
  'SUCCESS',
  'SUSPEND_CURRENT_QUEUE_A_MOMENT',
  'COMMIT',
  'ROLLBACK',
  'ABANDONED',
])

/** Types are checked by compilers only where there is one. */
function checkedAnswer<A>(answer: A): A {
  if (answers.has(answer)) return answer
  const given = typeof answer === 'string' ? `"${answer}"` : typeof answer
  throw new ClientError(
    'ARGUMENT',
    `a handler answers nothing, or a status such as RECONSUME_LATER: ${given} was given`,
  )
}

export const succeeded = ({ status }: RunOutcome): boolean =>
  status === 'CONSUME_SUCCESS' || status === 'SUCCESS' || status === 'COMMIT'
