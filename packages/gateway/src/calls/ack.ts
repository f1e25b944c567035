import { unary } from '../grpc/method.ts'
import { groupOf, topicOf } from '../message/checks.ts'
import { expiryOf, type Handle, parseHandle, printHandle } from '../message/handle.ts'
import { okStatus, overall, Refused, statusOf } from '../refused.ts'
import { Code } from '../v2/code.ts'
import {
  AckMessageRequest,
  AckMessageResponse,
  ChangeInvisibleDurationRequest,
  ChangeInvisibleDurationResponse,
  ForwardMessageToDeadLetterQueueRequest,
  StatusResponse,
} from '../v2/requests.ts'
import { msOf } from '../v2/times.ts'
import { answered, type Ground } from './ground.ts'
import { settler } from './settle.ts'

type Needs = Pick<Ground, 'users' | 'clients' | 'renewals' | 'config' | 'clock'>

/** Of one request; clients name one, or as many as a receive brings. */
const maxEntries = 1024

/** What a client names by a handle that it was told. */
interface Named {
  readonly account: string
  readonly group: string
  readonly given: string
}

/**
 * Settles a message by its newest handle. One that is renewed is not renewed any more, unless the broker cannot be asked:
 * then its client, which may try again, must find it as it was. Throws Refused and NetError.
 */
async function settled<T>(
  { account, group, given }: Named,
  { renewals }: Pick<Needs, 'renewals'>,
  work: (handle: Handle) => Promise<T>,
): Promise<T> {
  const renewed = await renewals.take({ account }, group, given)
  try {
    const result = await work(renewed?.handle ?? parseHandle(given))
    renewed?.done()
    return result
  } catch (error) {
    const isFinal = error instanceof Refused && error.code === Code.invalidReceiptHandle
    if (isFinal) renewed?.done()
    else await renewed?.putBack()
    throw error
  }
}

/** Throws Refused. */
function alive(handle: Handle, { clock }: Pick<Needs, 'clock'>): Handle {
  if (expiryOf(handle) >= clock.now()) return handle
  throw new Refused(Code.invalidReceiptHandle, 'the receipt handle has expired: the message comes again')
}

/** Messages are consumed, each for itself. */
export const ackMessage = (needs: Needs) =>
  unary(
    'AckMessage',
    { request: AckMessageRequest, response: AckMessageResponse },
    answered(needs, async ({ group, topic, entries }, { user }) => {
      const groupName = groupOf(group)
      const settle = settler(user.brokers, { topic: topicOf(topic), group: groupName })
      if (entries.length > maxEntries)
        throw new Refused(Code.badRequest, `${entries.length} entries: at most ${maxEntries} are taken at once`)
      const results = await Promise.all(
        entries.map(async ({ messageId = '', receiptHandle = '' }) => {
          const named = { account: user.account, group: groupName, given: receiptHandle }
          const done = settled(named, needs, handle => settle.ack(alive(handle, needs)))
          return { messageId, receiptHandle, status: await done.then(() => okStatus, statusOf) }
        }),
      )
      return { status: overall(results.map(({ status }) => status)), entries: results }
    }),
  )

/** A message comes again at another time. */
export const changeInvisibleDuration = (needs: Needs) =>
  unary(
    'ChangeInvisibleDuration',
    { request: ChangeInvisibleDurationRequest, response: ChangeInvisibleDurationResponse },
    answered(needs, async ({ group, topic, receiptHandle, invisibleDuration }, { user }) => {
      const groupName = groupOf(group)
      const ms = invisibleDuration === undefined ? 0 : msOf(invisibleDuration)
      const most = needs.config.maxInvisibleTimeMills
      if (ms < 0 || ms > most)
        throw new Refused(Code.illegalInvisibleTime, `an invisible duration of ${ms} ms: from 0 to ${most} are taken`)
      const settle = settler(user.brokers, { topic: topicOf(topic), group: groupName })
      const named = { account: user.account, group: groupName, given: receiptHandle }
      const changed = await settled(named, needs, handle => settle.change(alive(handle, needs), ms))
      return { status: okStatus, receiptHandle: printHandle(changed) }
    }),
  )

/** A consumer gives up a message. */
export const forwardToDeadLetters = (needs: Needs) =>
  unary(
    'ForwardMessageToDeadLetterQueue',
    { request: ForwardMessageToDeadLetterQueueRequest, response: StatusResponse },
    answered(needs, async ({ group, topic, receiptHandle, messageId }, { user }) => {
      const groupName = groupOf(group)
      const settle = settler(user.brokers, { topic: topicOf(topic), group: groupName })
      await settled({ account: user.account, group: groupName, given: receiptHandle }, needs, handle => {
        if (handle.commitLogOffset < 0)
          throw new Refused(Code.invalidReceiptHandle, 'the receipt handle does not say where the message lies')
        return settle.bury(handle, new Map([['UNIQ_KEY', messageId]]))
      })
      return { status: okStatus }
    }),
  )
