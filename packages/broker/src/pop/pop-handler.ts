import {
  FieldsHeader,
  orderReviveQueue,
  Perm,
  type PopView,
  popRetryTopic,
  popRetryTopicV2,
  ResponseCode,
} from '@skua-mq/protocol'
import type { ReplyToken } from '@skua-mq/remoting'
import type { Clock, Random } from '@skua-mq/runtime'
import type { MessageFilter, MessageStore } from '@skua-mq/store'
import type { PullGroup, PullStop, PullTopic } from '../pull/pull-handler.ts'
import { type TopicLengths, unstorableTopic } from '../topic/names.ts'
import { maxPopped } from './check-point.ts'
import type { HeldPops } from './held-pops.ts'
import type { OrderWakes } from './order-wakes.ts'
import { msgOffsetInfo, orderCountInfo, recordsOf, startOffsetInfo, type Taken } from './pop-answer.ts'
import { Popping, type PoppingParts, type PopTarget } from './popping.ts'
import type { RetryTopics } from './retry-topics.ts'

export interface PopSettings extends TopicLengths {
  readonly brokerName: string
  readonly brokerRole: string
  readonly brokerPermission: () => number
  readonly reviveQueueNum: number
  readonly popFromRetryProbability: number
  readonly enableRetryTopicV2: boolean
  readonly retrieveMessageFromPopRetryTopicV1: boolean
  readonly popResponseReturnActualRetryTopic: boolean
  readonly maxPullHoldMs: number
}

export interface PopParts extends PoppingParts {
  readonly store: Pick<MessageStore, 'get' | 'minOffset' | 'maxOffset'>
  readonly clock: Clock
  readonly random: Pick<Random, 'int'>
  readonly topic: (topic: string) => PullTopic | undefined
  /** Created when autoCreateSubscriptionGroup allows. */
  readonly group: (group: string) => PullGroup | undefined
  readonly filterOf: (view: PopView) => MessageFilter | PullStop | undefined
  readonly held: HeldPops
  readonly wakes: OrderWakes
  readonly retries: RetryTopics
  /** Told of what was taken out of each queue. */
  readonly counted: (group: string, taken: Taken) => void
  readonly settings: PopSettings
}

/** RocketMQ's timer takes nothing that is further away, and its check points lie there. */
export const maxInvisibleMs = 3 * 24 * 3600 * 1000

/** 200050 and 200054: looks into the queues, takes what is there, and holds who finds nothing. */
export class PopHandler {
  private readonly parts: PopParts
  private popped = 0
  private stopped = false

  constructor(parts: PopParts) {
    this.parts = parts
  }

  handle(view: PopView, token: ReplyToken): void {
    const stop = this.check(view) ?? this.checkTimes(view)
    const filter = stop ?? this.parts.filterOf(view)
    if (filter !== undefined && 'code' in filter) {
      token.answer(filter.code, undefined, { remark: filter.remark })
      return
    }
    const holdMs = Math.min(view.pollTime, this.parts.settings.maxPullHoldMs)
    this.pop(view.copy(), token, this.parts.clock.monotonic() + holdMs)
  }

  stop(): void {
    this.stopped = true
    this.parts.wakes.stop()
  }

  /** What 200050, 200052 and 200054 are refused for alike. */
  check(view: { topic: string; consumerGroup: string; queueId: number }): PullStop | undefined {
    const { settings, topic: find, group: findGroup } = this.parts
    const { brokerName } = settings
    if (settings.brokerRole === 'SLAVE') return atSlave(brokerName)
    if ((settings.brokerPermission() & Perm.read) === 0)
      return refused(ResponseCode.noPermission, `broker ${brokerName} is not readable (brokerPermission)`)
    const topic = find(view.topic)
    if (topic === undefined)
      return refused(ResponseCode.topicNotExist, `topic ${view.topic} does not exist on ${brokerName}`)
    if ((topic.perm & Perm.read) === 0)
      return refused(ResponseCode.noPermission, `topic ${view.topic} is not readable: its perm is ${topic.perm}`)
    if (view.queueId >= topic.readQueueNums) {
      const remark = `queueId ${view.queueId} is out of range: ${view.topic} has ${topic.readQueueNums} read queues`
      return refused(ResponseCode.invalidParameter, remark)
    }
    const group = findGroup(view.consumerGroup)
    if (group === undefined) {
      const remark = `consumer group ${view.consumerGroup} does not exist here (autoCreateSubscriptionGroup=false)`
      return refused(ResponseCode.subscriptionGroupNotExist, remark)
    }
    if (!group.consumeEnable)
      return refused(
        ResponseCode.noPermission,
        `consumer group ${view.consumerGroup} may not consume (consumeEnable=false)`,
      )
    return undefined
  }

  private checkTimes(view: PopView): PullStop | undefined {
    if (view.maxMsgNums > maxPopped)
      return refused(ResponseCode.invalidParameter, `maxMsgNums is ${view.maxMsgNums}, at most ${maxPopped} are popped`)
    if (view.invisibleTime < 0 || view.invisibleTime > maxInvisibleMs) {
      const remark = `invisibleTime is ${view.invisibleTime}: 0 to ${maxInvisibleMs} ms are possible`
      return refused(ResponseCode.invalidParameter, remark)
    }
    const unstorable = unstorableTopic(this.parts.retries.of(view.topic, view.consumerGroup), this.parts.settings)
    return unstorable === undefined
      ? undefined
      : refused(ResponseCode.invalidParameter, `${unstorable}: use shorter names`)
  }

  private pop(view: PopView, token: ReplyToken, untilMs: number): void {
    const { parts } = this
    // A heartbeat or an administrator may have changed what was so when it came.
    const filter = parts.filterOf(view)
    const stop = this.check(view) ?? (filter !== undefined && 'code' in filter ? filter : undefined)
    if (stop !== undefined) {
      token.answer(stop.code, undefined, { remark: stop.remark })
      return
    }
    const reviveQid = view.order ? orderReviveQueue : this.popped++ % parts.settings.reviveQueueNum
    const wish = {
      ...{ view, token, reviveQid, targets: this.targetsOf(view), popTime: parts.clock.now() },
      filter: filter as MessageFilter | undefined,
    }
    const popping = new Popping(parts, wish, () => popping.whenWritten(() => this.finish(popping, untilMs)))
    popping.run()
  }

  /**
   * All read queues from one of them on, or the one that is named; before them, sometimes, or behind them, else, what the
   * group has to try again. In order there is no such thing: what fails stays where it is.
   */
  private targetsOf({ topic, consumerGroup, queueId, order }: PopView): PopTarget[] {
    const { random, settings, topic: find, store, retries: topics } = this.parts
    const start = random.int(100)
    const queues = (name: string, isRetry: boolean): PopTarget[] => {
      // A kill may have come between its first message and the file of the topics.
      if (isRetry && find(name) === undefined && store.maxOffset(name, 0) > 0) topics.ensure(name, consumerGroup)
      const count = find(name)?.readQueueNums ?? 0
      return Array.from({ length: count }, (_, at) => ({ topic: name, queueId: (start + at) % count, isRetry }))
    }
    const own = queueId < 0 ? queues(topic, false) : [{ topic, queueId, isRetry: false }]
    if (order) return own
    const [first, second] = [popRetryTopic(topic, consumerGroup), popRetryTopicV2(topic, consumerGroup)]
    // Whichever name is used now, messages may lie under the other one of before.
    const retries = settings.enableRetryTopicV2
      ? [...queues(second, true), ...(settings.retrieveMessageFromPopRetryTopicV1 ? queues(first, true) : [])]
      : [...queues(first, true), ...queues(second, true)]
    return start < settings.popFromRetryProbability ? [...retries, ...own] : [...own, ...retries]
  }

  private finish(popping: Popping, untilMs: number): void {
    const { view, token } = popping.wish
    if (popping.taken.length > 0 && view.order && !token.open) {
      // Nobody would get it, and the queues would be blocked for nothing.
      popping.unlock()
      popping.release()
      token.drop()
      // Who came meanwhile found them locked.
      for (const { topic, queueId } of popping.taken) this.parts.held.more(topic, view.consumerGroup, queueId)
    } else if (popping.taken.length > 0) this.answer(popping)
    else if (popping.refusal !== undefined)
      token.answer(ResponseCode.systemBusy, undefined, { remark: popping.refusal })
    else if (!token.open) token.drop()
    else if (popping.isFull) this.answerNothing(popping, ResponseCode.pollingFull)
    else if (popping.isLate) this.answerNothing(popping, ResponseCode.pollingTimeout)
    else if (popping.hasPassed && !this.stopped) {
      // What was passed over in one read is bounded: there may be more behind it, and no message that comes says so.
      this.parts.clock.after(0, () => this.again(view, token, untilMs))
    } else this.hold(popping, untilMs)
  }

  private again(view: PopView, token: ReplyToken, untilMs: number): void {
    if (token.open) this.pop(view, token, untilMs)
    else token.drop()
  }

  private hold(popping: Popping, untilMs: number): void {
    const { held, clock } = this.parts
    const { view, token } = popping.wish
    if (this.stopped || token.oneway || view.pollTime <= 0 || untilMs <= clock.monotonic()) {
      this.answerNothing(popping, ResponseCode.pollingTimeout)
      return
    }
    const resume = (isOver: boolean) => {
      if (isOver) this.answerNothing(popping, ResponseCode.pollingTimeout)
      else this.pop(view, token, untilMs)
    }
    if (!held.hold({ view, token, untilMs, resume })) this.answerNothing(popping, ResponseCode.pollingFull)
    else this.wakeBehind(popping)
  }

  /** Those who are held have their turn when what is blocked, or was taken now, is free again. */
  private wakeBehind({ wish, blocked, taken }: Popping): void {
    const { wakes } = this.parts
    const { view, popTime } = wish
    const { topic, consumerGroup: group, invisibleTime } = view
    for (const { queueId, freeAtMs } of blocked) wakes.at({ topic, group, queueId }, freeAtMs)
    for (const { queueId } of taken) wakes.at({ topic, group, queueId }, popTime + invisibleTime)
  }

  private answerNothing({ wish, rest }: Popping, code: ResponseCode): void {
    const { view, popTime, reviveQid, token } = wish
    const header = new FieldsHeader({
      popTime: String(popTime),
      invisibleTime: String(view.invisibleTime),
      reviveQid: String(reviveQid),
      restNum: String(rest),
      ...{ startOffsetInfo: '', msgOffsetInfo: '', ...(view.order ? { orderCountInfo: '' } : {}) },
    })
    const remark =
      code === ResponseCode.pollingFull ? 'too much is popped or held at the moment' : 'NO_MESSAGE_IN_QUEUE'
    token.answer(code, header, { remark })
  }

  private answer(popping: Popping): void {
    const { settings, counted, held } = this.parts
    const { taken, wish, rest } = popping
    const { view, token, popTime, reviveQid } = wish
    const { topic, consumerGroup: group, invisibleTime, queueId } = view
    const counts = view.order ? taken.map(one => this.takeInOrder(one, popping)) : undefined
    popping.unlock()
    for (const one of taken) counted(group, one)
    const { brokerName } = settings
    const pop = { topic, popTime, invisibleTime, reviveQid, brokerName }
    const body = taken.flatMap(one => recordsOf(one, pop, settings.popResponseReturnActualRetryTopic))
    const header = new FieldsHeader({
      popTime: String(popTime),
      invisibleTime: String(invisibleTime),
      reviveQid: String(reviveQid),
      restNum: String(rest),
      startOffsetInfo: startOffsetInfo(taken),
      msgOffsetInfo: msgOffsetInfo(taken),
      ...(counts === undefined ? {} : { orderCountInfo: counts.join(';') }),
    })
    token.answer(ResponseCode.success, header, { remark: 'FOUND', body, release: () => popping.release() })
    if (rest > 0) held.more(topic, group, queueId)
    if (view.order) this.wakeBehind(popping)
  }

  private takeInOrder({ topic, queueId, offsets }: Taken, { wish }: Popping): string {
    const { view, popTime } = wish
    const { consumerGroup: group, invisibleTime, attemptId } = view
    const info = this.parts.orders.take({ topic, group, queueId }, { attemptId, popTime, invisibleTime, offsets })
    return orderCountInfo(topic, queueId, info)
  }
}

/** What is in flight its master knows; what a slave did with it would be gone with the next of its master's tables. */
export const atSlave = (brokerName: string): PullStop =>
  refused(
    ResponseCode.noPermission,
    `this broker of ${brokerName} is a slave: pops and acknowledgements go to its master`,
  )

const refused = (code: PullStop['code'], remark: string): PullStop => ({ code, remark })
