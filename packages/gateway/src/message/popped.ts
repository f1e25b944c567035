import {
  decodeRecords,
  PropertyName,
  parseExtraInfo,
  popRetryTopic,
  popRetryTopicV2,
  retryMarkOf,
  type StoredMessage,
} from '@skua-mq/protocol'
import type { Handle } from './handle.ts'

/** The header of a pop's answer. */
export interface PopHeader {
  readonly popTime: number
  readonly invisibleTime: number
  readonly reviveQid: number
  readonly startOffsetInfo?: string | undefined
  readonly msgOffsetInfo?: string | undefined
  readonly orderCountInfo?: string | undefined
}

export interface Popped {
  readonly stored: StoredMessage
  readonly handle: Handle
}

export interface PopFrom {
  readonly topic: string
  readonly group: string
  readonly brokerName: string
}

/**
 * The messages of a pop with their handles. Those of a retry topic bring theirs as the property POP_CK; of the others the
 * header says where the pop of their queue began.
 */
export function popped(bytes: Uint8Array, header: PopHeader, from: PopFrom): Popped[] {
  const starts = startsOf(header.startOffsetInfo ?? '')
  const counts = countsOf(header.orderCountInfo ?? '')
  const found: Popped[] = []
  for (const stored of decodeRecords(bytes)) {
    const handle = handleOf(stored, { header, starts, brokerName: from.brokerName })
    if (handle === undefined) continue
    const times =
      counts.get(`${handle.mark} qo${stored.queueId}%${stored.queueOffset}`) ??
      counts.get(`${handle.mark} ${stored.queueId}`)
    if (times !== undefined) stored.reconsumeTimes = times
    found.push({ stored, handle })
  }
  return found
}

function handleOf(
  stored: StoredMessage,
  { header, starts, brokerName }: { header: PopHeader; starts: ReadonlyMap<string, number>; brokerName: string },
): Handle | undefined {
  const { queueId, queueOffset, physicalOffset: commitLogOffset } = stored
  const own = stored.properties.get(PropertyName.popCheckPoint)
  if (own !== undefined) {
    const info = parseExtraInfo(own)
    if (info !== undefined) return { ...info, queueOffset: info.queueOffset ?? queueOffset, commitLogOffset }
  }
  const mark = retryMarkOf(stored.topic)
  const startOffset = starts.get(`${mark} ${queueId}`)
  if (startOffset === undefined) return undefined
  const { popTime, invisibleTime, reviveQid } = header
  return { startOffset, popTime, invisibleTime, reviveQid, mark, brokerName, queueId, queueOffset, commitLogOffset }
}

/** `mark queue offset;…` */
function startsOf(text: string): ReadonlyMap<string, number> {
  const starts = new Map<string, number>()
  for (const entry of text.split(';')) {
    const [mark, queueId, offset] = entry.split(' ')
    if (offset !== undefined) starts.set(`${mark} ${queueId}`, Number(offset))
  }
  return starts
}

/** `mark queue count;…`, or with `qo<queue>%<offset>` in the middle. */
const countsOf = startsOf

/** The topic that a handle's message lies in. */
export function topicOfHandle({ mark }: Pick<Handle, 'mark'>, topic: string, group: string): string {
  if (mark === '1') return popRetryTopic(topic, group)
  return mark === '2' ? popRetryTopicV2(topic, group) : topic
}
