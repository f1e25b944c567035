import { PropertyName, type StoredMessage, timerCountsFile, wheelTimerTopic } from '@skua-mq/protocol'
import type { Store } from '@skua-mq/store'
import { TableFile } from '../../src/persist/table-file.ts'
import { TimerTopicCounts } from '../../src/timer/timer-counts.ts'
import { outOf } from '../../src/timer/timer-wish.ts'
import { type TimerSettings, Timers } from '../../src/timer/timers.ts'
import { type Process, StoreMachine } from '../store-machine.ts'

const dayMs = 86_400_000

/** One process of a broker, as far as timers are concerned. */
export interface TimerProcess extends Process {
  readonly timers: Timers
  readonly counts: TimerTopicCounts
  /** How late each message was. */
  readonly late: number[]
}

/** A machine on which timers run: real store, real files, simulated time and disk. */
export class TimerMachine extends StoreMachine {
  settings: TimerSettings = {
    precisionMs: 1000,
    flushMs: 1000,
    fileBytes: 1024 * 1024,
    windowMs: () => 2 * dayMs,
    isIntakeStopped: () => false,
    isDeliveryStopped: () => false,
  }

  async run(changes: Partial<TimerSettings> = {}): Promise<TimerProcess> {
    this.settings = { ...this.settings, ...changes }
    const process = await this.boot()
    const { runtime, store } = process
    const late: number[] = []
    const file = new TableFile({ ...runtime, codec: timerCountsFile, path: '/store/config/timermetrics' })
    const counts = new TimerTopicCounts(file, () => runtime.clock.now())
    counts.load()
    const timers = new Timers({
      ...{ ...runtime, store, counts, root: '/store', settings: this.settings },
      undeliverable: () => 'kept',
      delivered: ({ isRoll, lateMs }) => {
        if (!isRoll) late.push(lateMs)
      },
    })
    await this.clock.until(timers.start())
    return { ...process, timers, counts, late }
  }

  /** A message for `topic` at a time, as the step of a send leaves it. */
  timed(body: string, deliverMs: number, more: Record<string, string> = {}, topic = 'T') {
    return {
      topic: wheelTimerTopic,
      queueId: 0,
      body,
      properties: {
        UNIQ_KEY: `key-${body}`,
        [PropertyName.timerDeliverMs]: String(deliverMs),
        [PropertyName.timerOutMs]: String(outOf(deliverMs, this.settings.precisionMs)),
        [PropertyName.realTopic]: topic,
        [PropertyName.realQueueId]: '0',
        ...more,
      },
    }
  }

  /** What recalls the message with this body and time. */
  recall(body: string, deliverMs: number, topic = 'T') {
    const out = outOf(deliverMs, this.settings.precisionMs)
    return this.timed(`recall ${body}`, out + 1, {
      UNIQ_KEY: `key-${body}`,
      [PropertyName.timerDelUniqueKey]: `${topic}+key-${body}`,
    })
  }

  /** Ends a process as a broker does. */
  async end({ timers, store }: TimerProcess): Promise<void> {
    await this.clock.until(timers.stop())
    await this.clock.until(store.stop())
    this.kill()
  }

  bodies(store: Store, topic = 'T'): string[] {
    return this.read(store, topic).map(bodyOf)
  }
}

export const bodyOf = ({ body }: Pick<StoredMessage, 'body'>): string => Buffer.from(body).toString()
