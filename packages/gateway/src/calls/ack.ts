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

/** The newest handle of what a client names by an older one. Throws Refused. */
async function handleOf(group: string, given: string, { renewals, clock }: Needs): Promise<Handle> {
  const handle = (await renewals.take(group, given)) ?? parseHandle(given)
  if (expiryOf(handle) < clock.now())
    throw new Refused(Code.invalidReceiptHandle, 'the receipt handle has expired: the message comes again')
  return handle
}

/** Messages are consumed, each for itself. */
export const ackMessage = (needs: Needs) =>
  unary(
    'AckMessage',
    { request: AckMessageRequest, response: AckMessageResponse },
    answered(needs, async ({ group, topic, entries }, { user }) => {
      const groupName = groupOf(group)
      const settle = settler(user.brokers, { topic: topicOf(topic), group: groupName })
      const results = await Promise.all(
        entries.map(async ({ messageId = '', receiptHandle = '' }) => {
          const done = async () => settle.ack(await handleOf(groupName, receiptHandle, needs))
          return { messageId, receiptHandle, status: await done().then(() => okStatus, statusOf) }
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
      const handle = await handleOf(groupName, receiptHandle, needs)
      const settle = settler(user.brokers, { topic: topicOf(topic), group: groupName })
      return { status: okStatus, receiptHandle: printHandle(await settle.change(handle, ms)) }
    }),
  )

/** A consumer gives up a message. */
export const forwardToDeadLetters = (needs: Needs) =>
  unary(
    'ForwardMessageToDeadLetterQueue',
    { request: ForwardMessageToDeadLetterQueueRequest, response: StatusResponse },
    answered(needs, async ({ group, topic, receiptHandle, messageId }, { user }) => {
      const groupName = groupOf(group)
      const handle = (await needs.renewals.take(groupName, receiptHandle)) ?? parseHandle(receiptHandle)
      if (handle.commitLogOffset < 0)
        throw new Refused(Code.invalidReceiptHandle, 'the receipt handle does not say where the message lies')
      const settle = settler(user.brokers, { topic: topicOf(topic), group: groupName })
      await settle.bury(handle, new Map([['UNIQ_KEY', messageId]]))
      return { status: okStatus }
    }),
  )
