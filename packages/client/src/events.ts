import type { MessageQueue } from '@skua-mq/protocol'
import { didYouMean, type EventLevel, type Events } from '@skua-mq/runtime'
import { ClientError } from './error.ts'
import type { Notices } from './notices.ts'
import { type EventDiagnostic, eventChannel } from './trace/diagnostics.ts'

/** What happens rarely and is worth telling, by name, with its fields: `client.on('queuesChanged', ({ queues }) => …)`. */
export interface ClientEventMap {
  /** No name server answered; known routes stay in use. */
  routeRefreshFailed: { topic: string; error: unknown }
  heartbeatFailed: { address: string; error: unknown }
  /** A broker whose heartbeat had failed takes it again. */
  brokerBack: { address: string }
  /** This member's share of a topic is another one now. */
  queuesChanged: { group: string; topic: string; queues: readonly MessageQueue[] }
  /** The group has more members than the topic has read queues: this one gets nothing. */
  noQueue: { group: string; topic: string; members: number; queues: number }
  /** The consumer waits for the topic; the error says what is known about it. */
  topicUnknown: { group: string; topic: string; error: Error }
  rebalanceFailed: { group: string; topic: string; error: unknown }
  pullFailed: { group: string; queue: MessageQueue; error: unknown }
  /** The wanted offset is not in the queue (any more); consuming goes on at `to`. */
  offsetIllegal: { group: string; queue: MessageQueue; from: number; to: number }
  /** A backlog was skipped as the options say. */
  backlogSkipped: { group: string; queue: MessageQueue; from: number; to: number; why: 'age' | 'count' }
  offsetCommitFailed: { group: string; error: unknown }
  /** An operator moved the offsets of a topic. */
  offsetsReset: { group: string; topic: string; queues: number }
  handlerFailed: { group: string; topic: string; msgIds: readonly string[]; error: unknown }
  /** A handler held the event loop: nothing else could run, heartbeats included. */
  handlerBlocked: { group: string; topic: string; handler: string; blockedMs: number }
  /** A message could not be given back to the broker; it is tried again here. */
  sendBackFailed: { group: string; msgId: string; error: unknown }
  /** POP: a message was consumed, and the broker could not be told: it comes again. */
  ackFailed: { group: string; msgId: string; error: unknown }
  /** It was given back for the last time: it is in `%DLQ%<group>` now. `tries`: how often it was consumed. */
  deadLetter: { group: string; topic: string; msgId: string; tries: number }
  /** Broadcasting, or a limit: this message will not be tried again. */
  messageDropped: { group: string; msgId: string; why: string }
  messageUnreadable: { group: string; queue: MessageQueue; queueOffset: number; error: unknown }
  /** The oldest running message passed consumeTimeout and was given back. */
  consumeTimeout: { group: string; topic: string; msgId: string }
  /** The broker asked about a half message, and the check failed or nobody can answer. */
  transactionCheckFailed: { group: string; msgId: string; error: unknown }
  traceDropped: { topic: string; records: number; error?: unknown }
  /** A consumer was started, and nobody takes its messages. */
  noHandler: { group: string }
  /** The last `for await` loop over a consumer was left, and nobody reads it since; it keeps its queues. */
  loopLeft: { group: string; queues: number }
  /** The consumer was closed while handlers ran on, longer than awaitTerminationMillisWhenShutdown. */
  handlersLeft: { group: string; waitedMs: number }
  /** Members of the group want different messages of a topic. `others`: what the broker has of the group. */
  subscriptionsDiffer: { group: string; topic: string; own: string; others: string }
}

const levels: Record<keyof ClientEventMap, EventLevel> = {
  routeRefreshFailed: 'warn',
  heartbeatFailed: 'warn',
  brokerBack: 'info',
  queuesChanged: 'info',
  noQueue: 'warn',
  topicUnknown: 'warn',
  rebalanceFailed: 'warn',
  pullFailed: 'warn',
  offsetIllegal: 'warn',
  backlogSkipped: 'warn',
  offsetCommitFailed: 'warn',
  offsetsReset: 'info',
  handlerFailed: 'warn',
  handlerBlocked: 'warn',
  sendBackFailed: 'warn',
  ackFailed: 'warn',
  deadLetter: 'warn',
  messageDropped: 'warn',
  messageUnreadable: 'error',
  consumeTimeout: 'warn',
  transactionCheckFailed: 'warn',
  traceDropped: 'warn',
  noHandler: 'warn',
  loopLeft: 'warn',
  handlersLeft: 'warn',
  subscriptionsDiffer: 'warn',
}

/** Names of what `client.on` tells. */
export type ClientEventName = keyof ClientEventMap
export type EmitEvent = <N extends ClientEventName>(name: N, fields: ClientEventMap[N]) => void
type Listener = (fields: never) => void

/** Listeners of one client, in front of the runtime's sink. A listener that throws does not disturb the client. */
export class ClientEvents {
  private readonly sink: Events
  private readonly notices: Notices | undefined
  private readonly listeners = new Map<ClientEventName, Set<Listener>>()

  constructor(sink: Events, notices?: Notices) {
    this.sink = sink
    this.notices = notices
  }

  /** Returns the function that takes the listener away again. Throws ClientError ARGUMENT for an event that there is not. */
  on<N extends ClientEventName>(name: N, listener: (fields: ClientEventMap[N]) => void): () => void {
    if (!Object.hasOwn(levels, name))
      throw new ClientError(
        'ARGUMENT',
        `there is no event ${String(name)}${didYouMean(String(name), Object.keys(levels))}`,
      )
    if (typeof listener !== 'function')
      throw new ClientError('ARGUMENT', `a listener is a function: ${typeof listener} was given`)
    const set = this.listeners.get(name) ?? new Set()
    this.listeners.set(name, set)
    set.add(listener)
    return () => set.delete(listener)
  }

  readonly emit: EmitEvent = (name, fields) => {
    const level = levels[name]
    const listeners = this.listeners.get(name)
    this.sink.emit({ name, level, fields: fields as Record<string, unknown> })
    if (eventChannel.hasSubscribers) eventChannel.publish({ name, level, fields } satisfies EventDiagnostic)
    this.notices?.tell(name, fields, { level, isHeard: (listeners?.size ?? 0) > 0 })
    for (const listener of listeners ?? []) {
      try {
        ;(listener as (fields: unknown) => void)(fields)
      } catch (error) {
        this.sink.emit({ name: 'listener failed', level: 'error', fields: { event: name, error } })
      }
    }
  }
}
