import { FieldsHeader, type PopView, popRetryTopic, popRetryTopicV2, ResponseCode } from '@skua-mq/protocol'
import type { ReplyToken } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { PullStop, PullTopic } from '../pull/pull-handler.ts'
import type { HeldPops } from './held-pops.ts'
import type { OrderTable } from './order-table.ts'
import type { OrderWakes } from './order-wakes.ts'
import type { PopPositions } from './positions.ts'

export interface NotifierParts {
  readonly clock: Clock
  readonly store: Pick<MessageStore, 'maxOffset'>
  readonly topic: (topic: string) => PullTopic | undefined
  readonly positions: Pick<PopPositions, 'peek'>
  readonly orders: Pick<OrderTable, 'freeAt'>
  readonly wakes: Pick<OrderWakes, 'at'>
  /** Those who wait here, apart from pops. */
  readonly held: HeldPops
  readonly check: (view: PopView) => PullStop | undefined
  /** maxPullHoldMs */
  readonly maxHoldMs: () => number
}

/** 200054: tells whoever waits that a pop would find something, and takes nothing. Filters are not asked, as in RocketMQ. */
export class Notifier {
  private readonly parts: NotifierParts

  constructor(parts: NotifierParts) {
    this.parts = parts
  }

  handle(view: PopView, token: ReplyToken): void {
    const { clock, maxHoldMs } = this.parts
    this.look(view.copy(), token, clock.monotonic() + Math.min(view.pollTime, maxHoldMs()))
  }

  private look(view: PopView, token: ReplyToken, untilMs: number): void {
    const { held, check, clock } = this.parts
    const stop = check(view)
    if (stop !== undefined) token.answer(stop.code, undefined, { remark: stop.remark })
    else if (this.hasAny(view)) answer(token, { hasMsg: true, isFull: false })
    else if (view.pollTime <= 0 || token.oneway || untilMs <= clock.monotonic())
      answer(token, { hasMsg: false, isFull: false })
    else {
      const resume = (isOver: boolean) => {
        if (isOver) answer(token, { hasMsg: false, isFull: false })
        else this.look(view, token, untilMs)
      }
      if (!held.hold({ view, token, untilMs, resume })) answer(token, { hasMsg: false, isFull: true })
      else if (view.order) this.wakeWhenFree(view)
    }
  }

  /** What is popped in order may be free by time alone. */
  private wakeWhenFree({ topic, consumerGroup: group, queueId, attemptId }: PopView): void {
    const { topic: find, orders, wakes, clock } = this.parts
    const [first, end] = queueId < 0 ? [0, find(topic)?.readQueueNums ?? 0] : [queueId, queueId + 1]
    for (let queue = first; queue < end; queue++) {
      const place = { topic, group, queueId: queue }
      const freeAtMs = orders.freeAt(place, attemptId)
      if (freeAtMs > clock.now()) wakes.at(place, freeAtMs)
    }
  }

  private hasAny({ topic, consumerGroup, queueId, order, attemptId }: PopView): boolean {
    const { topic: find, store, positions, orders, clock } = this.parts
    const isThere = (name: string, queue: number) => {
      const place = { topic: name, group: consumerGroup, queueId: queue }
      if (order && orders.freeAt(place, attemptId) > clock.now()) return false
      return store.maxOffset(name, queue) > positions.peek(name, consumerGroup, queue)
    }
    const isAnywhere = (name: string) => {
      const queues = find(name)?.readQueueNums ?? 0
      for (let queue = 0; queue < queues; queue++) if (isThere(name, queue)) return true
      return false
    }
    if (queueId < 0 ? isAnywhere(topic) : isThere(topic, queueId)) return true
    if (order) return false
    return isAnywhere(popRetryTopic(topic, consumerGroup)) || isAnywhere(popRetryTopicV2(topic, consumerGroup))
  }
}

function answer(token: ReplyToken, { hasMsg, isFull }: { hasMsg: boolean; isFull: boolean }): void {
  token.answer(ResponseCode.success, new FieldsHeader({ hasMsg: String(hasMsg), pollingFull: String(isFull) }))
}
