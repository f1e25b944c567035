import { type Dialect, dialectOf, Perm, type PullView, ResponseCode } from '@skua-mq/protocol'
import type { ReplyToken } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import {
  GetRequest,
  GetResult,
  type GetStatus,
  getStatusNames,
  type MessageFilter,
  type MessageStore,
} from '@skua-mq/store'
import { type HeldPull, HeldPulls } from './held-pulls.ts'
import { PullReply } from './pull-reply.ts'
import { Wakes } from './wakes.ts'

export const PullFlag = { commitOffset: 1, suspend: 2, subscription: 4, classFilter: 8, litePull: 16 } as const

export interface PullTopic {
  readonly readQueueNums: number
  readonly perm: number
  readonly topicSysFlag: number
}

export interface PullGroup {
  readonly consumeEnable: boolean
  readonly consumeBroadcastEnable: boolean
  readonly brokerId: number
  readonly whichBrokerWhenConsumeSlowly: number
  readonly groupSysFlag?: number | undefined
}

export interface PullStop {
  readonly code: Exclude<ResponseCode, 0>
  readonly remark: string
}

/** What the pull handler asks of the broker's tables. */
export interface PullParts {
  readonly store: Pick<MessageStore, 'get' | 'minOffset' | 'maxOffset'>
  readonly clock: Clock
  readonly topic: (topic: string) => PullTopic | undefined
  /** Created when autoCreateSubscriptionGroup allows. */
  readonly group: (group: string) => PullGroup | undefined
  /** The filter of the request's subscription, or why there is none (23 to 28, 16, 1); undefined lets all pass. */
  readonly filterOf: (view: PullView) => MessageFilter | PullStop | undefined
  readonly commit: (view: PullView, remote: string) => void
  /** Where an administrator wants the group to go on (222), told once; undefined where it goes on by itself. */
  readonly resetOf?: (view: PullView) => number | undefined
  /** Told of every answer of a read, for statistics. */
  readonly counted?: ((view: PullView, result: GetResult) => void) | undefined
  readonly settings: PullSettings
  /** Default: 4.9. */
  readonly dialect?: Dialect
}

export interface PullSettings {
  readonly brokerName: string
  readonly longPollingEnable: boolean
  readonly shortPollingTimeMills: number
  /** A pull is held no longer, whatever it asks for. */
  readonly maxPullHoldMs: number
  readonly maxHeldPulls: number
  readonly maxHeldPullsPerConnection: number
  readonly brokerPermission: () => number
  readonly slaveReadEnable: boolean
  readonly brokerRole: string
  readonly offsetCheckInSlave: boolean
  /** Bytes behind the log's end from which a reader is sent to the slave. */
  readonly slowReaderBytes: () => number
}

/**
 * 11 and 361: checks in the order of remoting.md 10, reads what is in memory at once, holds what finds nothing. Cold
 * reads come back from the pool; everything else is answered within the turn.
 */
export class PullHandler {
  readonly held: HeldPulls
  private readonly parts: PullParts
  private readonly dialect: Dialect
  private readonly wakes: Wakes
  private readonly reply = new PullReply()
  private readonly request = new GetRequest()
  /** Results that no read uses at the moment; a result in flight is pinned until its bytes are sent. */
  private readonly free: GetResult[] = []
  private stopped = false

  constructor(parts: PullParts) {
    this.parts = parts
    this.dialect = parts.dialect ?? dialectOf()
    this.held = new HeldPulls(parts.clock, pull => this.readHeld(pull, false), parts.settings)
    this.wakes = new Wakes({ held: this.held, clock: parts.clock, wake: pull => this.wake(pull) })
  }

  handle(view: PullView, token: ReplyToken): void {
    const stop = this.check(view)
    if (stop !== undefined) {
      token.answer(stop.code, undefined, { remark: stop.remark })
      return
    }
    const filter = this.parts.filterOf(view)
    if (filter !== undefined && 'code' in filter) {
      token.answer(filter.code, undefined, { remark: filter.remark })
      return
    }
    if (this.answerReset(view, token) || this.answerUnread(view, token)) return
    if ((view.sysFlag & PullFlag.commitOffset) !== 0) this.parts.commit(view, token.connection.peer)
    this.read(view, token, filter, true)
  }

  /** A queue has new messages: its held pulls are read again, and held on where the filter passes none. */
  arrived(topic: string, queueId: number): void {
    this.wakes.arrived(topic, queueId)
  }

  private wake(pull: HeldPull): void {
    if (!pull.token.open) pull.token.drop()
    else if (pull.token.connection.isBlocked) this.answerLater(pull)
    else if (!this.answerReset(pull.view, pull.token)) this.readHeld(pull, 'again')
  }

  /**
   * A topic is gone: its consumers hear that their offsets are of the past, before messages of one that is made anew lie
   * below them.
   */
  topicDeleted(topic: string): void {
    this.held.expireTopic(topic)
  }

  /** Its consumer has not taken what it was sent before: it asks again behind that, and nothing is read for it till then. */
  private answerLater({ view, token }: HeldPull): void {
    const reply = this.replyTo(view)
    const { store } = this.parts
    reply.nextBeginOffset = view.queueOffset
    reply.minOffset = store.minOffset(view.topic, view.queueId)
    reply.maxOffset = store.maxOffset(view.topic, view.queueId)
    reply.suggestWhichBrokerId = 0
    const remark = 'the answers before this one are not taken yet'
    token.answer(ResponseCode.pullRetryImmediately, reply, { remark })
  }

  /** A reset is answered like an offset out of range: the consumer goes on from the offset that it is told. */
  private answerReset(view: PullView, token: ReplyToken): boolean {
    const offset = this.parts.resetOf?.(view)
    if (offset === undefined) return false
    const reply = this.replyTo(view)
    const { store } = this.parts
    reply.nextBeginOffset = offset
    reply.minOffset = store.minOffset(view.topic, view.queueId)
    reply.maxOffset = store.maxOffset(view.topic, view.queueId)
    reply.suggestWhichBrokerId = 0
    token.answer(ResponseCode.pullOffsetMoved, reply, { remark: 'OFFSET_RESET' })
    return true
  }

  private replyTo({ topic, consumerGroup }: PullView): PullReply {
    const { reply, parts } = this
    if (!this.dialect.pullReplyHasSysFlags) return reply
    reply.topicSysFlag = parts.topic(topic)?.topicSysFlag ?? 0
    reply.groupSysFlag = parts.group(consumerGroup)?.groupSysFlag ?? 0
    return reply
  }

  /** A slave that is not read sends its readers to the master (ha.md 5). */
  private answerUnread(view: PullView, token: ReplyToken): boolean {
    const { settings, store } = this.parts
    if (settings.brokerRole !== 'SLAVE' || settings.slaveReadEnable) return false
    const reply = this.replyTo(view)
    reply.nextBeginOffset = view.queueOffset
    reply.minOffset = store.minOffset(view.topic, view.queueId)
    reply.maxOffset = store.maxOffset(view.topic, view.queueId)
    reply.suggestWhichBrokerId = 0
    const remark = `broker ${settings.brokerName} is a slave, and slaveReadEnable=false: read from the master`
    token.answer(ResponseCode.pullRetryImmediately, reply, { remark })
    return true
  }

  /** Answers what is held and holds nothing any more. */
  stop(): void {
    this.stopped = true
    for (const pull of this.held.takeAll()) {
      if (pull.token.open) this.readHeld(pull, false)
      else pull.token.drop()
    }
  }

  /** By the group's present subscription, which a heartbeat may have changed since the pull came. */
  private readHeld(pull: HeldPull, hold: 'again' | false): void {
    const { view, token } = pull
    const filter = this.parts.filterOf(view)
    if (filter !== undefined && 'code' in filter) {
      token.answer(filter.code, undefined, { remark: filter.remark })
      return
    }
    const passedTo = filter === pull.filter ? pull.passedTo : view.queueOffset
    this.read(view, token, filter, hold, { ...pull, filter, passedTo })
  }

  private check(view: PullView): PullStop | undefined {
    const { parts } = this
    const { settings } = parts
    if ((settings.brokerPermission() & Perm.read) === 0) {
      return {
        code: ResponseCode.noPermission,
        remark: `broker ${settings.brokerName} is not readable (brokerPermission=${settings.brokerPermission()})`,
      }
    }
    const group = parts.group(view.consumerGroup)
    if (group === undefined) {
      return {
        code: ResponseCode.subscriptionGroupNotExist,
        remark: `consumer group ${view.consumerGroup} does not exist here (autoCreateSubscriptionGroup=false)`,
      }
    }
    if (!group.consumeEnable) {
      return {
        code: ResponseCode.noPermission,
        remark: `consumer group ${view.consumerGroup} may not consume (consumeEnable=false)`,
      }
    }
    const topic = parts.topic(view.topic)
    if (topic === undefined) {
      return {
        code: ResponseCode.topicNotExist,
        remark: `topic ${view.topic} does not exist on ${settings.brokerName}`,
      }
    }
    if ((topic.perm & Perm.read) === 0) {
      return {
        code: ResponseCode.noPermission,
        remark: `topic ${view.topic} is not readable: its perm is ${topic.perm}`,
      }
    }
    if (view.queueId < 0 || view.queueId >= topic.readQueueNums) {
      return {
        code: this.dialect.queueIdOutOfRangeOnPull as PullStop['code'],
        remark: `queueId ${view.queueId} is out of range: ${view.topic} has ${topic.readQueueNums} read queues`,
      }
    }
    return undefined
  }

  /** `hold`: true for a fresh request, 'again' for one that was held and may go on waiting, false for the last try. */
  private read(
    view: PullView,
    token: ReplyToken,
    filter: MessageFilter | undefined,
    hold: boolean | 'again',
    held?: HeldPull,
  ): void {
    if (!token.open) {
      token.drop()
      return
    }
    const { request } = this
    request.topic = view.topic
    request.queueId = view.queueId
    request.offset = held?.passedTo ?? view.queueOffset
    // At least one message always: clients of Go ask for none (remoting.md 10), and would ask again at once.
    request.maxCount = Math.max(1, view.maxMsgNums)
    request.filter = filter
    const result = this.free.pop() ?? new GetResult()
    const reading = this.parts.store.get(request, result)
    if (reading === undefined) {
      this.finish({ view, token, filter, hold, held }, result)
      return
    }
    const kept = { view: held === undefined ? view.copy() : view, token, filter, hold, held }
    const { connection } = token
    const { account } = connection
    const reserved = account.reserve()
    const since = token.mark()
    reading
      .finally(() => token.waited('read', since))
      .then(() => {
        account.readBrought(result.bytes)
        this.finish(kept, result)
      })
      .catch(error => this.failed(kept, result, error))
      .finally(() => {
        account.giveBack(reserved)
        // Where nothing was answered, no write wakes a connection that these reads have paused.
        connection.relax()
      })
  }

  /** The disk failed, or we did: either costs this pull only. */
  private failed({ view, token }: Reading, result: GetResult, error: unknown): void {
    if (!token.waiting) return
    this.give(result)
    const remark = `reading ${view.topic} failed: ${String((error as Error)?.message)}`
    token.answer(ResponseCode.systemError, undefined, { remark })
  }

  private finish(pull: Reading, result: GetResult): void {
    const { view, token } = pull
    if (!token.open) {
      this.give(result)
      token.drop()
      return
    }
    const code = codeOf(result.status, view.queueOffset)
    if (pull.hold !== false && this.wait(pull, code, result)) return
    this.parts.counted?.(view, result)
    const reply = this.replyTo(view)
    reply.nextBeginOffset = this.isMoved(code) ? view.queueOffset : result.nextOffset
    reply.minOffset = result.minOffset
    reply.maxOffset = result.maxOffset
    reply.suggestWhichBrokerId = this.suggested(view, result)
    const remark = getStatusNames[result.status]
    if (code !== ResponseCode.success) {
      token.answer(code, reply, { remark })
      this.give(result)
      return
    }
    token.answer(code, reply, { remark, body: result.slices, release: () => this.give(result) })
  }

  /** Holds a pull that found nothing, or nothing of its tags; false when it must be answered. */
  private wait({ view, token, filter, hold, held }: Reading, code: ResponseCode, result: GetResult): boolean {
    if (this.stopped || token.oneway) return false
    // A woken pull whose filter matched nothing goes on from where the filter ended.
    const unmatched =
      hold === 'again' && code === ResponseCode.pullRetryImmediately && result.status === 'noMatchedMessage'
    if (code !== ResponseCode.pullNotFound && !unmatched) return false
    if ((view.sysFlag & PullFlag.suspend) === 0) return false
    const { settings, clock, store } = this.parts
    const kept = held === undefined ? view.copy() : view
    const passedTo = unmatched ? result.nextOffset : (held?.passedTo ?? kept.queueOffset)
    // What lies behind, or came while the disk was read, wakes nobody any more: the consumer asks again at once.
    const seenTo = unmatched ? passedTo : result.maxOffset
    if (store.maxOffset(view.topic, view.queueId) > seenTo) return false
    const wantedMs = settings.longPollingEnable ? view.suspendTimeoutMillis : settings.shortPollingTimeMills
    const holdMs = Math.min(wantedMs, settings.maxPullHoldMs)
    const untilMs = held?.untilMs ?? clock.monotonic() + holdMs
    if (!this.held.hold({ view: kept, token, filter, passedTo, untilMs })) return false
    this.give(result)
    return true
  }

  /** A slave may lack what its master has, so that offsets which it does not know are no mistake. */
  private isMoved(code: ResponseCode): boolean {
    const { brokerRole, offsetCheckInSlave } = this.parts.settings
    return brokerRole === 'SLAVE' && !offsetCheckInSlave && code === ResponseCode.pullOffsetMoved
  }

  private suggested(view: PullView, result: GetResult): number {
    if (!this.parts.settings.slaveReadEnable) return 0
    const group = this.parts.group(view.consumerGroup)
    if (group === undefined) return 0
    return result.lagBytes > this.parts.settings.slowReaderBytes() ? group.whichBrokerWhenConsumeSlowly : group.brokerId
  }

  private give(result: GetResult): void {
    result.release()
    if (this.free.length < maxFreeResults) this.free.push(result)
  }
}

/** How many idle results are kept. */
const maxFreeResults = 1024

interface Reading {
  readonly view: PullView
  readonly token: ReplyToken
  readonly filter: MessageFilter | undefined
  readonly hold: boolean | 'again'
  readonly held: HeldPull | undefined
}

/** The table "store status" of remoting.md 10. */
export function codeOf(status: GetStatus, asked: number): ResponseCode {
  switch (status) {
    case 'found':
      return ResponseCode.success
    case 'noMatchedMessage':
    case 'messageWasRemoving':
      return ResponseCode.pullRetryImmediately
    case 'offsetFoundNull':
    case 'offsetOverflowOne':
      return ResponseCode.pullNotFound
    case 'offsetOverflowBadly':
    case 'offsetTooSmall':
      return ResponseCode.pullOffsetMoved
    default:
      return asked === 0 ? ResponseCode.pullNotFound : ResponseCode.pullOffsetMoved
  }
}
