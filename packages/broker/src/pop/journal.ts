import { PropertyName, printProperties, wheelTimerTopic } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import { type AppendWaiter, Draft, type MessageStore } from '@skua-mq/store'
import type { CheckPoint } from './check-point.ts'

export interface JournalParts {
  readonly store: Pick<MessageStore, 'append'>
  readonly clock: Pick<Clock, 'now'>
  readonly storeHost: Uint8Array
  /** rmq_sys_REVIVE_LOG_ and the name of the cluster. */
  readonly reviveTopic: string
  /** Makes the two topics where they are not there yet. */
  readonly ensureTopics: () => void
}

/** Java hands a check point to whoever revives a second before its acknowledgements. */
const ackDelayMs = 1000
/** Precision of RocketMQ's timer. */
const timerMs = 1000

/**
 * Check points and acknowledgements on their way into the log, in RocketMQ's form (store.md 9.3): messages to the revive
 * topic which wait in the timer's topic for their time. Java's broker goes on from there; ours never moves them on, since it
 * holds in memory what is not settled, and reads the timer's topic when it starts.
 */
export class PopJournal {
  private readonly parts: JournalParts
  private readonly draft = new Draft()

  constructor(parts: JournalParts) {
    this.parts = parts
  }

  /**
   * A pop. It is told when it is written: the group's offset moves on disk only when it is synced (PopPositions), so that a
   * power cut that takes it brings its messages again, and its acknowledgements lie behind it. `isAgain`: it lies in the log.
   */
  checkPoint(point: CheckPoint, waiter: AppendWaiter, isAgain = false): void {
    const { topic: t, group: c, queueId: q, startOffset: so, popTime: pt, invisibleTime: it, diffs, brokerName } = point
    const { reviveQid } = point
    const times = { pt, q, reviveTime: point.reviveAtMs }
    const body = {
      bm: point.settled,
      bn: brokerName,
      c,
      d: diffs,
      it,
      n: diffs.length,
      ...times,
      ro: 0,
      ...(isAgain ? { rp: '0' } : {}),
      so,
      t,
    }
    const uniqueKey = `${t}@${q}@${so}@${c}@${pt}@${brokerName}@ck`
    this.put(
      { reviveQid, tag: 'ck', body, uniqueKey, deliverMs: point.reviveAtMs - ackDelayMs, waitStored: false },
      waiter,
    )
  }

  /** Messages of a pop are settled. */
  ack(point: CheckPoint, offsets: readonly number[], waiter: AppendWaiter, waitStored = true): void {
    const { topic: t, group: c, queueId: q, startOffset: so, popTime: pt, brokerName: bn, reviveQid } = point
    const deliverMs = point.reviveAtMs
    if (offsets.length === 1) {
      const ao = offsets[0]!
      const uniqueKey = `${t}@${q}@${ao}@${c}@${pt}@${bn}@ack`
      this.put({ reviveQid, tag: 'ack', body: { ao, bn, c, pt, q, so, t }, uniqueKey, deliverMs, waitStored }, waiter)
      return
    }
    const body = { ao: -1, aol: offsets, bn, c, pt, q, so, t }
    const uniqueKey = `${t}@${q}@-1@${c}@${pt}@${bn}@ack`
    this.put({ reviveQid, tag: 'bAck', body, uniqueKey, deliverMs, waitStored }, waiter)
  }

  /** A group was deleted when the log ended at `to`: of its check points before that nothing is in flight. Java's broker knows no such record, and passes it over. */
  groupGone({ group, to }: { readonly group: string; readonly to: number }, waiter: AppendWaiter): void {
    const deliverMs = this.parts.clock.now()
    const uniqueKey = `${group}@${deliverMs}@gone`
    this.put({ reviveQid: 0, tag: 'gone', body: { c: group, to }, uniqueKey, deliverMs, waitStored: true }, waiter)
  }

  private put({ reviveQid, tag, body, uniqueKey, deliverMs, waitStored }: Entry, waiter: AppendWaiter): void {
    const { draft } = this
    const { store, clock, storeHost, reviveTopic, ensureTopics } = this.parts
    ensureTopics()
    draft.topic = wheelTimerTopic
    draft.queueId = 0
    draft.bornAtMs = clock.now()
    draft.bornHost = storeHost
    draft.body = Buffer.from(JSON.stringify(body))
    draft.bodyStart = 0
    draft.bodyEnd = draft.body.length
    draft.properties = Buffer.from(
      printProperties([
        [PropertyName.tags, tag],
        [PropertyName.timerDeliverMs, String(deliverMs)],
        [PropertyName.uniqueKey, uniqueKey],
        [PropertyName.timerOutMs, String(outOf(deliverMs))],
        [PropertyName.realTopic, reviveTopic],
        [PropertyName.realQueueId, String(reviveQid)],
      ]),
    )
    draft.propertiesStart = 0
    draft.propertiesEnd = draft.properties.length
    draft.waitStored = waitStored
    store.append(draft, waiter)
  }
}

interface Entry {
  readonly reviveQid: number
  readonly tag: 'ck' | 'ack' | 'bAck' | 'gone'
  readonly body: object
  readonly uniqueKey: string
  readonly deliverMs: number
  readonly waitStored: boolean
}

/** As RocketMQ rounds: down, and a whole second to the one before. */
const outOf = (deliverMs: number): number => Math.ceil(deliverMs / timerMs - 1) * timerMs
