import {
  brokersTopics,
  type Dialect,
  deadLetterPrefix,
  maxTopicBytesV1,
  maxTopicBytesV2,
  ResponseCode,
  retryPrefix,
  reviveTopicPrefix,
} from '@skua-mq/protocol'

const legal = /^[%|a-zA-Z0-9_-]+$/

/** Longest topic name that a sender may use; retry and dead letter topics are longer by their prefix. */
export const maxTopicLength = 127
export const maxRetryTopicLength = 255
export const maxGroupLength = 255

/** Asked for every message. */
export const isForbiddenTopic = (topic: string): boolean =>
  brokersTopics.has(topic) || topic.startsWith(reviveTopicPrefix)

/** Why a topic name is none; undefined for a good one (remoting.md 9.4). */
export function illegalTopicName(topic: string): string | undefined {
  if (topic.trim() === '') return 'the topic is blank'
  if (!legal.test(topic)) return `the topic "${topic}" holds characters other than % | a-z A-Z 0-9 _ -`
  const limit =
    topic.startsWith(retryPrefix) || topic.startsWith(deadLetterPrefix) ? maxRetryTopicLength : maxTopicLength
  if (topic.length > limit) return `the topic has ${topic.length} characters, at most ${limit} are allowed`
  return undefined
}

export interface TopicRefusal {
  readonly code: Exclude<ResponseCode, 0>
  readonly remark: string
}

/** What decides how long a topic may be (store.md 2.2). */
export interface TopicLengths {
  readonly autoMessageVersionOnTopicLen: boolean
}

/** Why no message of a topic can be stored, whatever its name may be otherwise; undefined where one can. */
export function unstorableTopic(topic: string, { autoMessageVersionOnTopicLen }: TopicLengths): string | undefined {
  const bytes = Buffer.byteLength(topic)
  const most = autoMessageVersionOnTopicLen ? maxTopicBytesV2 : maxTopicBytesV1
  if (bytes <= most) return undefined
  const hint = autoMessageVersionOnTopicLen ? '' : ' (autoMessageVersionOnTopicLen=false)'
  return `the topic ${topic} has ${bytes} bytes, and a message can be stored with at most ${most}${hint}`
}

/**
 * Why nobody may send to a topic: 1 (5.3: 29) for a name that is none, 16 for the broker's own, 13 for a retry topic of a group whose
 * name is too long; undefined where one may.
 */
export function refusedTopic(
  topic: string,
  { illegalTopicOnSend }: Pick<Dialect, 'illegalTopicOnSend'>,
  lengths: TopicLengths,
): TopicRefusal | undefined {
  if (isForbiddenTopic(topic)) {
    const remark = `the topic ${topic} belongs to the broker: sending to it is forbidden`
    return { code: ResponseCode.noPermission, remark }
  }
  const illegal = illegalTopicName(topic)
  if (illegal !== undefined) return { code: illegalTopicOnSend as TopicRefusal['code'], remark: illegal }
  const remark = unstorableTopic(topic, lengths)
  return remark === undefined ? undefined : { code: ResponseCode.messageIllegal, remark }
}

export function illegalGroupName(group: string): string | undefined {
  if (group.trim() === '') return 'the group is blank'
  if (!legal.test(group)) return `the group "${group}" holds characters other than % | a-z A-Z 0-9 _ -`
  if (group.length > maxGroupLength)
    return `the group has ${group.length} characters, at most ${maxGroupLength} are allowed`
  return undefined
}
