import { ClientError } from '../error.ts'
import { batchDraft, splitBySize } from '../message/batch.ts'
import type { Message } from '../message/message.ts'
import type { Draft } from '../message/outgoing.ts'
import type { SendResult } from './result.ts'

export interface TogetherParts<T> {
  /** Each message by itself: what one is refused for is no matter of the others. */
  readonly drafts: (messages: readonly Message<T>[]) => Promise<PromiseSettledResult<Draft>[]>
  readonly maxBatchBytes: number
  readonly sendOne: (message: Message<T>) => Promise<SendResult>
  readonly sendDraft: (draft: Draft, messages: number) => Promise<SendResult>
}

/**
 * Sends messages of one topic in as few batches as their size allows, in their order, and says of each what became of it: one that
 * cannot be sent leaves the others alone, and so does a batch that is refused.
 */
export async function sendTogether<T>(
  messages: readonly Message<T>[],
  parts: TogetherParts<T>,
): Promise<PromiseSettledResult<SendResult>[]> {
  const made = await parts.drafts(messages)
  const results = new Array<PromiseSettledResult<SendResult>>(messages.length)
  const good: (Draft & { index: number })[] = []
  for (const [index, one] of made.entries())
    if (one.status === 'fulfilled') good.push({ ...one.value, index })
    else results[index] = one
  for (const group of splitBySize(good, parts.maxBatchBytes)) {
    const [first] = group
    const sent = group.length === 1 ? sendAlone(messages[first!.index]!, parts) : sendGroup(group, parts)
    const of = await sent.catch(error => group.map(() => ({ status: 'rejected' as const, reason: error })))
    for (const [at, { index }] of group.entries()) results[index] = of[at] ?? untold()
  }
  return results
}

type Told = PromiseSettledResult<SendResult>[]

const sendAlone = async <T>(message: Message<T>, { sendOne }: TogetherParts<T>): Promise<Told> => [
  { status: 'fulfilled', value: await sendOne(message) },
]

async function sendGroup<T>(group: readonly Draft[], { sendDraft }: TogetherParts<T>): Promise<Told> {
  const result = await sendDraft(batchDraft(group), group.length)
  return singles(result).map(value => ({ status: 'fulfilled', value }))
}

function untold(): PromiseRejectedResult {
  const reason = new ClientError('BROKER', 'the broker did not say what became of this message')
  return { status: 'rejected', reason }
}

/** The result of a batch as those of its messages: ids are joined, offsets follow each other. */
function singles(result: SendResult): SendResult[] {
  const places = result.offsetMsgId.split(',')
  return result.msgId.split(',').map((msgId, index) => ({
    ...result,
    msgId,
    offsetMsgId: places[index] ?? result.offsetMsgId,
    queueOffset: result.queueOffset + index,
    transactionId: msgId,
  }))
}
