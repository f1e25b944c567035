import { popRetryTopic, popRetryTopicV2, retryPrefix } from '../topics.ts'

/** The revive queue of what is popped in order: there is no such queue. */
export const orderReviveQueue = 999

/** Which topic a popped message lies in: 0 its own, 1 the retry topic, 2 the retry topic of the second kind. */
export type RetryMark = '0' | '1' | '2'

/** The mark of a topic. */
export function retryMarkOf(topic: string): RetryMark {
  if (!topic.startsWith(retryPrefix)) return '0'
  return topic.includes('+') ? '2' : '1'
}

/** The topic in which the messages of a mark lie; undefined for an unknown mark. */
export function topicOfMark(mark: string, topic: string, group: string): string | undefined {
  if (mark === '0') return topic
  if (mark === '1') return popRetryTopic(topic, group)
  return mark === '2' ? popRetryTopicV2(topic, group) : undefined
}

/** What a consumer gives back with a message (property POP_CK): which pop it is of. */
export interface ExtraInfo {
  /** Where the pop began. */
  readonly startOffset: number
  readonly popTime: number
  readonly invisibleTime: number
  readonly reviveQid: number
  readonly mark: string
  readonly brokerName: string
  readonly queueId: number
  /** Absent in one form. */
  readonly queueOffset: number | undefined
}

const whole = (text: string | undefined): number =>
  text !== undefined && /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN

/** Undefined for what is none: a proxy's ninth part is passed by. */
export function parseExtraInfo(text: string): ExtraInfo | undefined {
  const parts = text.split(' ')
  const [startOffset, popTime, invisibleTime, reviveQid] = parts.slice(0, 4).map(whole)
  const [mark, brokerName] = parts.slice(4, 6)
  const queueId = whole(parts[6])
  const queueOffset = parts.length > 7 ? whole(parts[7]) : undefined
  const numbers = [startOffset, popTime, invisibleTime, reviveQid, queueId, queueOffset ?? 0]
  if (mark === undefined || brokerName === undefined || !numbers.every(Number.isSafeInteger)) return undefined
  return {
    startOffset: startOffset!,
    popTime: popTime!,
    invisibleTime: invisibleTime!,
    reviveQid: reviveQid!,
    mark,
    brokerName,
    queueId,
    queueOffset,
  }
}

/** The text of POP_CK. */
export function printExtraInfo(info: ExtraInfo): string {
  const { startOffset, popTime, invisibleTime, reviveQid, mark, brokerName, queueId, queueOffset } = info
  const text = `${startOffset} ${popTime} ${invisibleTime} ${reviveQid} ${mark} ${brokerName} ${queueId}`
  return queueOffset === undefined ? text : `${text} ${queueOffset}`
}
