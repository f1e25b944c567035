import { every } from '@skua-mq/runtime'
import type { ConsumeEngine } from './engine.ts'
import { lagOf } from './lag.ts'
import { type PushContext, pushMember, pushParts } from './push-parts.ts'

/** Members share the queues, and pull theirs (client.md 8). */
export function pullEngine(context: PushContext): ConsumeEngine {
  const parts = pushParts(context)
  const { offsets, owned, rebalance, dispatch, ends } = parts
  const { instance, settings, client } = context
  const clocks: { cancel(): void }[] = []
  return {
    member: pushMember(context, parts),
    load: () => offsets.load(),
    begin: async () => {
      dispatch.start(() => owned.table)
      clocks.push(every(instance.clock, settings.persistConsumerOffsetInterval, () => owned.persistAll()))
      await rebalance.now()
    },
    topicsChanged: () => void rebalance.now(),
    forget: async topic => {
      await Promise.all(owned.ofTopic(topic).map(queue => owned.release(queue)))
    },
    queues: () => owned.table.queues(),
    lag: () => lagOf(owned.table.queues(), { offsets, ends, namespace: client.namespace }),
    halt: () => {
      for (const clock of clocks) clock.cancel()
      owned.stop()
    },
    settle: async () => {
      parts.stopFetches()
      await rebalance.stop()
    },
    idle: () => dispatch.idle(),
    end: async () => {
      dispatch.stop()
      await owned.persistAll()
      await Promise.all([...owned.table.queues()].map(queue => owned.release(queue)))
    },
  }
}
