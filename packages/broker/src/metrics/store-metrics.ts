import type { Clock, Disk } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { rocketmq } from './rocketmq-families.ts'
import { own } from './skua-families.ts'
import type { MetricSource, Samples } from './source.ts'

export interface StoreMetricsParts {
  readonly clock: Pick<Clock, 'now'>
  readonly disk: Pick<Disk, 'space'>
  readonly store: Pick<MessageStore, 'figures' | 'minPhysicalOffset' | 'maxPhysicalOffset'>
  /** storePathRootDir */
  readonly root: string
}

/** RocketMQ's labels of what lies on a disk of this machine. */
const labels = ['disk', 'local']

/** The commit log, and the disk below. */
export class StoreMetrics implements MetricSource {
  private readonly parts: StoreMetricsParts

  constructor(parts: StoreMetricsParts) {
    this.parts = parts
  }

  async *collect(into: Samples): AsyncIterable<void> {
    const { clock, store } = this.parts
    const { figures } = store
    const usedBytes = this.usedBytes()
    if (usedBytes !== undefined) yield into.sample(rocketmq.storageSize, labels, usedBytes)
    yield into.sample(rocketmq.flushBehind, labels, figures.flushBehindBytes)
    yield into.sample(rocketmq.dispatchBehind, labels, figures.dispatchBehindBytes)
    const oldestMs = await figures.oldestStoredAtMs().catch(() => undefined)
    if (oldestMs !== undefined)
      yield into.sample(rocketmq.messageReserveTime, labels, Math.max(0, clock.now() - oldestMs))
    yield into.histogram(own.fsync, [], figures.syncTimes)
    yield into.sample(own.fsyncFailures, [], figures.syncFailures)
    yield into.sample(own.logBytes, [], store.maxPhysicalOffset - store.minPhysicalOffset)
    yield into.sample(own.storeWritable, [], figures.cause === undefined ? 1 : 0)
    if (figures.cause !== undefined) yield into.sample(own.storeHealth, [figures.cause], 1)
  }

  /** Undefined where the machine does not tell. */
  private usedBytes(): number | undefined {
    try {
      return this.parts.disk.space(this.parts.root).usedBytes
    } catch {
      return undefined
    }
  }
}
