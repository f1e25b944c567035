import { changeTimer, getTimers, type HeaderOf, ResponseCode, type WaitingTimer } from '@skua-mq/protocol'
import { mastersAt } from './cluster.ts'
import { compareText, each } from './each.ts'
import { AdminError } from './error.ts'
import type { AdminSession } from './session.ts'

/** A message whose time of delivery has not come, and the broker where it waits. */
export interface WaitingMessage extends WaitingTimer {
  readonly address: string
}

/** Which messages. */
export interface WaitingQuery {
  /** Default: all topics. */
  readonly topic?: string | undefined
  /** A key, or the unique id. */
  readonly key?: string | undefined
  /** Delivered from this time on; milliseconds since 1970. */
  readonly fromMs?: number | undefined
  /** Delivered before this time. */
  readonly toMs?: number | undefined
  /** At most so many, those that come first. Default 100. */
  readonly limit?: number | undefined
}

/** What waits. */
export interface WaitingMessages {
  /** Ordered by their times. */
  readonly messages: readonly WaitingMessage[]
  /** There are more than `limit`. */
  readonly hasMore: boolean
  /** How many wait at these brokers, of whatever topic. */
  readonly waiting: number
  /** Places in the commit log where a message waits that cannot be read. */
  readonly unreadable: readonly { readonly address: string; readonly physicalOffset: number }[]
  /** Brokers that cannot say: Apache's, and those without a timer wheel. */
  readonly without: readonly string[]
}

/** What one broker says, page after page. */
interface Found {
  readonly address: string
  messages: WaitingMessage[]
  readonly unreadable: number[]
  waiting: number
  hasMore: boolean
}

const perAnswer = 1000

/**
 * Messages with a time of delivery that wait at the masters (TIMER_* properties; not those with a delay level). Brokers look
 * through their timers in bounded pieces, so that this may take many answers. Errors: REFUSED where no broker can say; NETWORK.
 */
export async function waitingMessages(session: AdminSession, query: WaitingQuery = {}): Promise<WaitingMessages> {
  const { limit = 100 } = query
  const addresses = await mastersAt(session)
  const answers = await each(addresses, address => waitingAt(session, address, query))
  const found = answers.filter(answer => answer !== undefined)
  const without = addresses.filter((_, i) => answers[i] === undefined)
  if (found.length === 0 && without.length > 0)
    throw new AdminError(
      'REFUSED',
      `no broker lists what waits (${without.join(', ')}): only Skua's masters do, with timerWheelEnable=true`,
      { request: getTimers.name, responseCode: ResponseCode.requestCodeNotSupported },
    )
  const messages = found.flatMap(each => each.messages)
  messages.sort((a, b) => a.deliverAtMs - b.deliverAtMs || compareText(a.address, b.address))
  return {
    messages: messages.slice(0, limit),
    hasMore: messages.length > limit || found.some(({ hasMore }) => hasMore),
    waiting: found.reduce((sum, each) => sum + each.waiting, 0),
    unreadable: found.flatMap(({ address, unreadable }) =>
      unreadable.map(physicalOffset => ({ address, physicalOffset })),
    ),
    without,
  }
}

const notSaid = [ResponseCode.requestCodeNotSupported, ResponseCode.illegalOperation]

/** Undefined where the broker cannot say. */
async function waitingAt(session: AdminSession, address: string, query: WaitingQuery): Promise<Found | undefined> {
  const { topic, key, fromMs, toMs, limit = 100 } = query
  const found: Found = { address, messages: [], unreadable: [], waiting: 0, hasMore: false }
  const taken = new Set<string>()
  const isLeft = ({ topic: to, msgId, slotMs }: WaitingTimer) => !taken.has(`${slotMs} ${to}+${msgId}`)
  for (let cursor: string | undefined; ; ) {
    const header: HeaderOf<typeof getTimers> = { topic, key, fromMs, toMs, limit: perAnswer, cursor }
    const { code, body } = await session.ask(address, { spec: getTimers, header, allow: notSaid })
    if (code !== 0) return undefined
    const page = getTimers.replyBody!.decode(body ?? Buffer.from('{}'))
    for (const recalled of page.recalled) taken.add(`${recalled.slotMs} ${recalled.key}`)
    found.messages.push(...page.timers.map(timer => ({ address, ...timer })))
    found.unreadable.push(...page.unreadable)
    found.waiting = page.waiting
    cursor = page.cursor
    // What is taken back says so in the same slot, and mostly before; one more answer looks behind.
    found.messages = found.messages.filter(isLeft)
    if (cursor === undefined || found.messages.length > limit) return { ...found, hasMore: cursor !== undefined }
  }
}

/** The message that waits under this unique id. Errors: NOT_FOUND; ARGUMENT where several do. */
export async function waitingMessage(
  session: AdminSession,
  id: string,
  { topic }: { readonly topic?: string | undefined } = {},
): Promise<WaitingMessage> {
  const { messages, without } = await waitingMessages(session, { key: id, topic, limit: 2 })
  const [message, ...others] = messages
  const silent = without.length === 0 ? '' : `; ${without.join(', ')} cannot say`
  if (message === undefined)
    throw new AdminError(
      'NOT_FOUND',
      `no message waits for its time under the id or key ${id}${silent}: it was delivered, or taken back`,
    )
  if (others.length === 0) return message
  const ids = [...new Set(messages.map(({ msgId }) => msgId))]
  const advice = ids.length > 1 ? `name one by its id (${ids.join(', ')})` : 'name its topic'
  throw new AdminError('ARGUMENT', `several messages wait under ${id}: ${advice}`)
}

/** Takes a message back: it is never delivered. Errors: REFUSED, which says why. */
export async function cancelWaiting(session: AdminSession, message: WaitingMessage): Promise<void> {
  await change(session, message, undefined)
}

/**
 * Gives a message another time; one that has passed delivers it now. Its sender's recall handle means the old time from then on.
 * Errors: REFUSED, which says why.
 */
export async function moveWaiting(session: AdminSession, message: WaitingMessage, deliverAtMs: number): Promise<void> {
  await change(session, message, deliverAtMs)
}

async function change(
  session: AdminSession,
  { address, topic, msgId, physicalOffset }: WaitingMessage,
  deliverAtMs: number | undefined,
): Promise<void> {
  if (msgId === '') throw new AdminError('ARGUMENT', 'the message has no unique id, by which it could be taken back')
  await session.write(address, { spec: changeTimer, header: { topic, msgId, physicalOffset, deliverAtMs } })
}
