import { type ExtraInfo, parseExtraInfo, retryMarkOf } from './pop.ts'
import { PropertyName } from './property-name.ts'
import { decodeRecords, type StoredMessage } from './record-read.ts'

/** What the header of a pop's answer says of its messages (remoting.md 15). */
export interface PopHeader {
  readonly popTime: number
  readonly invisibleTime: number
  readonly reviveQid: number
  readonly startOffsetInfo?: string | undefined
  readonly orderCountInfo?: string | undefined
}

/** A message that was popped, and what it is acknowledged by. */
export interface PoppedMessage {
  readonly stored: StoredMessage
  readonly info: ExtraInfo & { readonly queueOffset: number }
}

/**
 * The messages of a pop. Those of a retry topic bring what they are acknowledged by as the property POP_CK; of the others the
 * header says where the pop of their queue began. Of those that were popped in order it says how often they were taken before,
 * which becomes their reconsumeTimes.
 */
export function poppedMessages(bytes: Uint8Array, header: PopHeader, brokerName: string): PoppedMessage[] {
  const starts = numbersOf(header.startOffsetInfo ?? '')
  const counts = numbersOf(header.orderCountInfo ?? '')
  const found: PoppedMessage[] = []
  for (const stored of decodeRecords(bytes)) {
    const info = infoOf(stored, { header, starts, brokerName })
    if (info === undefined) continue
    const { queueId, queueOffset } = stored
    const times = counts.get(`${info.mark} qo${queueId}%${queueOffset}`) ?? counts.get(`${info.mark} ${queueId}`)
    if (times !== undefined) stored.reconsumeTimes = times
    found.push({ stored, info })
  }
  return found
}

function infoOf(
  stored: StoredMessage,
  { header, starts, brokerName }: { header: PopHeader; starts: ReadonlyMap<string, number>; brokerName: string },
): PoppedMessage['info'] | undefined {
  const { queueId, queueOffset } = stored
  const own = parseExtraInfo(stored.properties.get(PropertyName.popCheckPoint) ?? '')
  if (own !== undefined) return { ...own, queueOffset: own.queueOffset ?? queueOffset }
  const mark = retryMarkOf(stored.topic)
  const startOffset = starts.get(`${mark} ${queueId}`)
  if (startOffset === undefined) return undefined
  const { popTime, invisibleTime, reviveQid } = header
  return { startOffset, popTime, invisibleTime, reviveQid, mark, brokerName, queueId, queueOffset }
}

/** `mark queue number;…`, or with `qo<queue>%<offset>` in the middle. */
function numbersOf(text: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  for (const entry of text.split(';')) {
    const [mark, queue, number] = entry.split(' ')
    if (number !== undefined) numbers.set(`${mark} ${queue}`, Number(number))
  }
  return numbers
}
