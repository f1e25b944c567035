import type { MessageQueue } from '@skua-mq/protocol'
import { every } from '@skua-mq/runtime'
import { offsetStorageFor } from '../consume/offset-store/choose.ts'
import { Offsets } from '../consume/offset-store/offsets.ts'
import type { OffsetStorage } from '../consume/offset-store/storage.ts'
import { OwnedQueues } from '../consume/owned-queues.ts'
import { PullCalls } from '../consume/pull-calls.ts'
import { QueueOffsets } from '../consume/queue-ends.ts'
import { Rebalance } from '../consume/rebalance.ts'
import { type Subscription, Subscriptions } from '../consume/subscriptions.ts'
import type { EmitEvent } from '../events.ts'
import { acquireInstance, type ClientInstance, clientIdOf, releaseInstance } from '../instance/client-instance.ts'
import type { ClientSettings } from '../options.ts'
import { pullMember } from '../pull/member.ts'
import { queueKey } from '../queue.ts'
import { AssignedQueues } from './assigned-queues.ts'
import { Assignment } from './assignment.ts'
import { Inbox } from './inbox.ts'
import type { LitePullSettings } from './options.ts'

const halfAnHourMs = 1_800_000
const persistMs = 5_000

export interface LitePullContext {
  readonly client: ClientSettings
  readonly settings: LitePullSettings
  /** On the wire. */
  readonly group: string
  readonly subscriptions: Subscriptions
  readonly offsetStore: OffsetStorage | undefined
  readonly localOffsetStoreDir: string | undefined
  readonly emit: EmitEvent
  paused(queue: MessageQueue): boolean
}

export type LitePullParts = Awaited<ReturnType<typeof openLitePull>>

/** Starts the parts of a lite pull consumer. */
export async function openLitePull(context: LitePullContext) {
  const { client, settings, group } = context
  const broadcasting = settings.messageModel === 'BROADCASTING'
  const instance = acquireInstance(clientIdOf(client, broadcasting ? 'DEFAULT' : undefined), client)
  try {
    await instance.start()
    const parts = litePullParts(context, instance)
    await parts.offsets.load()
    const { offsets, rebalance, assigned, owned } = parts
    const { messageModel, consumeFromWhere } = settings
    instance.addConsumer(
      pullMember({
        instance,
        group,
        messageModel,
        consumeFromWhere,
        subscriptions: context.subscriptions,
        offsets,
        rebalance,
        emit: context.emit,
        assignedTopics: () => assigned.queues().map(queue => queue.topic),
        owned: owned.table,
      }),
    )
    await instance.refreshRoutes()
    await instance.heartbeats.beat()
    await parts.rebalance.now()
    const timer = every(instance.clock, persistMs, () => parts.persist())
    const close = async () => {
      timer.cancel()
      parts.owned.stop()
      await parts.rebalance.stop()
      parts.assigned.stopAll()
      if (settings.autoCommit) parts.assigned.commit('settled')
      parts.inbox.wake()
      await parts.persist()
      await instance.removeConsumer(group)
      await releaseInstance(instance)
    }
    return { ...parts, instance, close }
  } catch (error) {
    await instance.removeConsumer(group)
    await releaseInstance(instance)
    throw error
  }
}

function litePullParts(context: LitePullContext, instance: ClientInstance) {
  const { settings, group, subscriptions, emit } = context
  const startedAtMs = instance.clock.now()
  const offsets = new Offsets(context.offsetStore ?? offsetStorageFor(instance, { ...context, ...settings }))
  const ends = new QueueOffsets(instance.calls)
  const inbox = new Inbox(instance.clock)
  const pulls = new PullCalls(instance)
  const all = new Subscriptions()
  const subscription = (topic: string): Subscription => {
    if (all.get(topic) === undefined) all.set(topic, { expression: '*', subVersion: 0 })
    return subscriptions.get(topic) ?? all.get(topic)!
  }
  const assigned = new AssignedQueues({ ...context, instance, pulls, inbox, subscription }, offsets)
  const owned = new OwnedQueues({
    instance,
    group,
    offsets,
    ends,
    subscriptions,
    locks: undefined,
    emit,
    startRules: () => ({
      consumeFromWhere: settings.consumeFromWhere,
      consumeTimestampMs: settings.consumeTimestampMs ?? startedAtMs - halfAnHourMs,
    }),
    taken: (queue, process, offset) => assigned.add(queue, process, offset),
    released: async queue => {
      if (settings.autoCommit) assigned.commit('settled', [queue])
      assigned.remove(queue)
      pulls.forget(queue)
      return true
    },
  })
  const { messageModel: model, strategy } = settings
  const rebalance = new Rebalance({ instance, group, model, strategy, ownership: owned, emit })
  const persist = async () => {
    try {
      await offsets.persist(assigned.queues())
    } catch (error) {
      emit('offsetCommitFailed', { group, error })
    }
  }
  const { autoCommit } = settings
  const assignment = new Assignment({ instance, group, autoCommit, assigned, owned, offsets, pulls, emit })
  const leaveTopic = async (topic: string) => {
    for (const queue of owned.ofTopic(topic)) await owned.release(queue)
    await instance.heartbeats.beat()
  }
  const watchQueues = (topic: string, listener: (queues: readonly MessageQueue[]) => void) =>
    watch({ instance, topic, listener, periodMs: settings.metadataCheckMs })
  return { offsets, ends, inbox, assigned, assignment, owned, rebalance, persist, leaveTopic, watchQueues }
}

/** Looks at a topic's queues again and again. */
function watch(wish: {
  instance: ClientInstance
  topic: string
  listener: (queues: readonly MessageQueue[]) => void
  periodMs: number
}): () => void {
  const { instance, topic } = wish
  const print = (queues: readonly MessageQueue[]) => queues.map(queueKey).join()
  let before = print(instance.routes.known(topic)?.subscribe ?? [])
  const timer = every(instance.clock, wish.periodMs, async () => {
    // A name server that is down now is asked again in the next round.
    const route = await instance.routes.refresh(topic).catch(() => undefined)
    if (route === undefined || print(route.subscribe) === before) return
    before = print(route.subscribe)
    wish.listener(route.subscribe)
  })
  return () => timer.cancel()
}
