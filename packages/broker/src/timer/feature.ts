import { timerCountsFile, undeliverableTopic, wheelTimerTopic } from '@skua-mq/protocol'
import { part } from '@skua-mq/runtime'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { TableFile } from '../persist/table-file.ts'
import { MessageKind } from '../send/message-kind.ts'
import type { MessageCounts } from '../stats/feature.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { Recall } from './recall.ts'
import { timerRoutes } from './routes.ts'
import { TimerChange } from './timer-change.ts'
import { TimerTopicCounts } from './timer-counts.ts'
import { TimerFollower } from './timer-follower.ts'
import { congestion, precisionOf, windowOf } from './timer-limits.ts'
import { TimerList } from './timer-list.ts'
import { TimerMetrics } from './timer-metrics.ts'
import type { TimerRules } from './timer-wish.ts'
import { Timers } from './timers.ts'

type Needs = On<'config' | 'runtime' | 'store' | 'measures'> & { topics: TopicTable; counts: MessageCounts | undefined }

/** What others need who store a message anew that may have a time of delivery. */
export interface TimerEntry {
  readonly rules: TimerRules
  /** Makes the timer's topic where it is not there yet. */
  readonly ensureTopic: () => void
}

/** Messages that are delivered at a time of their own. */
export const timers: Feature<Needs, { timerEntry: TimerEntry; timerFollower: TimerFollower }> = {
  name: 'timers',
  make: needs => {
    const { config, runtime, topics, store } = needs
    const { clock, random } = runtime
    const path = `${config.storePathRootDir}/config/timermetrics`
    const counts = new TimerTopicCounts(new TableFile({ ...runtime, codec: timerCountsFile, path }), () => clock.now())
    let metrics: TimerMetrics | undefined
    const wheel = timersOf(needs, counts, () => metrics)
    if (needs.measures && config.timerWheelEnable)
      metrics = new TimerMetrics({
        ...{ now: () => clock.now(), precisionMs: precisionOf(config.timerPrecisionMs), book: wheel.book },
        ...{ behind: () => wheel.behind, lastStoredAtMs: () => wheel.lastStoredAtMs },
        limit: config.metricsOtelCardinalityLimit,
      })
    const rules: TimerRules = {
      now: () => clock.now(),
      isOn: config.timerWheelEnable,
      precisionMs: precisionOf(config.timerPrecisionMs),
      maxDelayMs: () => config.timerMaxDelaySec * 1000,
      congested: congestion(wheel.book, { random, limit: () => config.timerCongestNumEachSlot }),
    }
    const ensureTopic = () => void topics.ensure(wheelTimerTopic, 1, 'a message with a time of delivery')
    const timerEntry = { rules, ensureTopic }
    const recall = new Recall({ store, topics, timerEntry, settings: config })
    const follower = new TimerFollower({ ...runtime, root: config.storePathRootDir })
    const isSlave = config.brokerRole === 'SLAVE'
    const runs = config.timerWheelEnable && !isSlave
    return {
      gives: { timerEntry, timerFollower: follower },
      routes: timerRoutes({
        checkpoint: () => (isSlave ? follower.checkpoint : wheel.book.checkpoint),
        ...{ counts, recall, runs },
        list: new TimerList({ store, book: wheel.book, precisionMs: rules.precisionMs }),
        change: new TimerChange({ store, book: wheel.book, timerEntry, recall }),
      }),
      metrics: metrics === undefined ? [] : [metrics],
      gauges: { timersWaiting: () => wheel.book.size, timersBehind: () => wheel.behind },
      tables: runs ? [{ load: () => counts.load() }] : [],
      services: [
        ...(runs ? [{ name: 'timers', start: () => wheel.start(), stop: () => wheel.stop() }] : []),
        ...(isSlave
          ? [part('timers of the master', { start: () => follower.start(), stop: () => follower.stop() })]
          : []),
      ],
      topicDeleted: topic => counts.forget(topic),
    }
  },
}

function timersOf(
  { config, runtime, store, topics, counts: messages }: Needs,
  counts: TimerTopicCounts,
  metrics: () => TimerMetrics | undefined,
): Timers {
  const precisionMs = precisionOf(config.timerPrecisionMs)
  return new Timers({
    ...{ ...runtime, store, counts, root: config.storePathRootDir },
    settings: {
      precisionMs,
      flushMs: config.timerFlushIntervalMs,
      fileBytes: config.mappedFileSizeTimerLog,
      windowMs: windowOf(config, precisionMs),
      isIntakeStopped: () => config.timerStopEnqueue,
      isDeliveryStopped: () => config.timerStopDequeue,
    },
    enqueued: topic => metrics()?.enqueued(topic),
    delivered: ({ topic, isRoll, result }) => {
      metrics()?.dequeued(topic)
      if (!isRoll) messages?.in.count(topic, MessageKind.delay, result)
    },
    undeliverable: () => topics.ensure(undeliverableTopic, 1, 'a message could not be delivered').topicName,
  })
}
