import type { MessageQueue, StoredMessage } from '@skua-mq/protocol'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { ConsumerMember } from '../instance/members.ts'
import type { BodyCodec } from '../message/message.ts'
import type { ClientSettings } from '../options.ts'
import { QueueMap } from '../queue.ts'
import type { TraceDispatcher } from '../trace/dispatcher.ts'
import { ConcurrentDispatch } from './concurrent.ts'
import { ConsumeStats } from './consume-stats.ts'
import { consumeDirectly } from './direct.ts'
import { Fetch } from './fetch.ts'
import { sharedLimits } from './flow.ts'
import type { Listener } from './handler.ts'
import { QueueLocks } from './locks.ts'
import { offsetStorageFor } from './offset-store/choose.ts'
import { Offsets } from './offset-store/offsets.ts'
import type { OffsetStorage } from './offset-store/storage.ts'
import { OrderlyDispatch } from './orderly.ts'
import { OwnedQueues, type Process } from './owned-queues.ts'
import { PullCalls } from './pull-calls.ts'
import type { PushSettings } from './push-options.ts'
import { QueueOffsets } from './queue-ends.ts'
import { Rebalance } from './rebalance.ts'
import { resetOffsets } from './reset-offsets.ts'
import { HandlerRun } from './run.ts'
import { runningInfo } from './running-info.ts'
import { SendBack } from './send-back.ts'
import { Slots } from './slots.ts'
import type { Subscriptions } from './subscriptions.ts'

/** Java's default for CONSUME_FROM_TIMESTAMP. */
const halfAnHourMs = 1_800_000
const defaultMaxReconsumeTimes = 16

export interface PushContext {
  readonly instance: ClientInstance
  readonly client: ClientSettings
  readonly settings: PushSettings
  /** On the wire. */
  readonly group: string
  readonly plainGroup: string
  readonly subscriptions: Subscriptions
  readonly offsetStore: OffsetStorage | undefined
  readonly codec: BodyCodec<unknown> | undefined
  readonly traces: TraceDispatcher | undefined
  readonly emit: EmitEvent
  /** Aborted when the consumer closes. */
  readonly signal: AbortSignal
  paused(): boolean
  suspend(): void
  resume(): void
  listener(): Listener
  handlerName(): string
}

/** The parts of a running push consumer, tied together. Each does one thing; this only introduces them to each other. */
export function pushParts(context: PushContext) {
  const { instance, settings, group, emit, subscriptions } = context
  const startedAtMs = instance.clock.now()
  const offsets = new Offsets(context.offsetStore ?? offsetStorageFor(instance, { group, ...settings }))
  const ends = new QueueOffsets(instance.calls)
  const pulls = new PullCalls(instance)
  const locks = settings.orderly && settings.messageModel === 'CLUSTERING' ? new QueueLocks(instance, group) : undefined
  const stats = new ConsumeStats(instance.clock)
  const run = new HandlerRun({ ...context, group: context.plainGroup, stats })
  const dispatch = dispatchOf({ ...context, offsets, run, locks: locks ?? new QueueLocks(instance, group) })
  const fetches = new QueueMap<Fetch>()
  const limits = new Map<string, { count: number; bytes: number }>()
  const owned: OwnedQueues = new OwnedQueues({
    instance,
    group,
    offsets,
    ends,
    subscriptions,
    locks,
    emit,
    startRules: () => ({
      consumeFromWhere: settings.consumeFromWhere,
      consumeTimestampMs: settings.consumeTimestampMs ?? startedAtMs - halfAnHourMs,
    }),
    taken: (queue, process, offset) => begin(queue, process, offset),
    released: (queue, process) => {
      fetches.get(queue)?.stop()
      fetches.delete(queue)
      pulls.forget(queue)
      return dispatch.released(queue, process)
    },
    changed: (topic, { own }) => limits.set(topic, sharedLimits(settings.perQueue, settings.perTopic, own.length)),
  })
  const { messageModel: model, strategy } = settings
  const rebalance = new Rebalance({ instance, group, model, strategy, ownership: owned, emit })
  const begin = (queue: MessageQueue, process: Process, offset: number) => {
    const fetch = new Fetch(
      {
        ...context,
        pulls,
        ends,
        offsets,
        limits: () => limits.get(queue.topic) ?? settings.perQueue,
        fetched: (from, into, messages) => dispatch.submit(from, into, messages),
        illegal: (from, dropped, next) => moveTo(from, dropped, next),
        startOffset: from => owned.startOffset(from),
        pulled: (topic, pull) => stats.pulled(topic, pull),
      },
      { queue, process, offset },
    )
    fetches.set(queue, fetch)
    void fetch.run()
  }
  /** The queue is dropped and taken anew at the offset that exists. */
  const moveTo = async (queue: MessageQueue, process: Process, next: number) => {
    process.dropped = true
    offsets.update(queue, next)
    await owned.discard(queue)
    void rebalance.now()
  }
  const stopFetches = () => {
    for (const fetch of fetches.values()) fetch.stop()
    fetches.clear()
  }
  return { offsets, ends, owned, rebalance, dispatch, fetches, run, stats, stopFetches, startedAtMs }
}

export type PushParts = ReturnType<typeof pushParts>

function dispatchOf(
  parts: PushContext & { offsets: Offsets; run: HandlerRun; locks: QueueLocks },
): ConcurrentDispatch | OrderlyDispatch {
  const { instance, settings, group, emit, client } = parts
  const max = settings.maxReconsumeTimes
  const sendBack = new SendBack({
    instance,
    group,
    namespace: client.namespace,
    maxReconsumeTimes: max === -1 ? (settings.orderly ? 0x7fff_ffff : defaultMaxReconsumeTimes) : max,
    emit,
  })
  const dispatchParts = { ...parts, sendBack, slots: new Slots(settings.concurrency) }
  return settings.orderly ? new OrderlyDispatch(dispatchParts, parts.locks) : new ConcurrentDispatch(dispatchParts)
}

/** The consumer as brokers and operators see it. */
export function pushMember(context: PushContext, parts: PushParts): ConsumerMember {
  const { instance, settings, group, subscriptions, emit, client } = context
  const { owned, offsets, rebalance, stats, run, startedAtMs } = parts
  return {
    group,
    emit,
    topics: () => subscriptions.topics(),
    consumerData: () => ({
      groupName: group,
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: settings.messageModel,
      consumeFromWhere: settings.consumeFromWhere,
      subscriptionDataSet: subscriptions.list(),
      unitMode: false,
    }),
    membersChanged: () => void rebalance.now(),
    resetOffsets: (topic, wanted) => {
      const stopFetch = (queue: MessageQueue) => parts.fetches.get(queue)?.stop()
      const reset = { ...context, clock: instance.clock, owned, offsets, stopFetch }
      void resetOffsets(topic, wanted, reset).then(() => rebalance.now())
    },
    offsetsOf: topic => offsets.snapshot(topic),
    runningInfo: () =>
      runningInfo({
        clock: instance.clock,
        settings,
        nameServers: instance.names.addresses,
        startedAtMs,
        consumeType: 'CONSUME_PASSIVELY',
        subscriptions,
        stats,
        offsets,
        owned: owned.table,
      }),
    consumeDirectly: (message: StoredMessage, brokerName: string) => {
      const { namespace } = client
      return consumeDirectly(message, brokerName, {
        run,
        namespace,
        group,
        orderly: settings.orderly,
        clock: instance.clock,
      })
    },
  }
}
