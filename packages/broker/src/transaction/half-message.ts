import { type Dialect, halfTopic, PropertyName, ResponseCode, type StoredMessage } from '@skua-mq/protocol'
import { maxPropertiesBytes } from '../send/property-rewrite.ts'
import type { SendStep } from '../send/send-step.ts'

/** Under which name the broker keeps its own place in the topics of halves and of verdicts. */
export const transactionGroup = 'CID_RMQ_SYS_TRANS'

/** How often it was asked about, and its first place: what is added to a half message that is stored again. */
const roomForChecks = 100

/** A message with TRAN_MSG=true is kept in the half topic until its producer has decided (remoting.md 12). */
export function halfStep(
  rejects: () => boolean,
  { halfHasTransactionId }: Pick<Dialect, 'halfHasTransactionId'>,
): SendStep {
  return send => {
    const { view, draft, properties } = send
    if (!properties.halfMessage) return undefined
    // Clients before 4.6.1 leave the mark on what they send back for a retry, which is no new transaction.
    if (view.reconsumeTimes > 0 && properties.delayLevel > 0) return undefined
    if (rejects())
      return {
        code: ResponseCode.noPermission,
        remark: 'this broker takes no transactional messages (rejectTransactionMessage=true)',
      }
    if (view.batch) return { code: ResponseCode.messageIllegal, remark: 'a batch cannot be transactional' }
    const id = halfHasTransactionId ? send.uniqueKey : ''
    if (id !== '') properties.add(PropertyName.transactionId, id)
    properties.add(PropertyName.realTopic, draft.topic)
    properties.add(PropertyName.realQueueId, String(draft.queueId))
    if (properties.length + roomForChecks > maxPropertiesBytes)
      return {
        code: ResponseCode.messageIllegal,
        remark: `the properties of a transactional message leave less than ${roomForChecks} of ${maxPropertiesBytes} bytes free, which its checks need`,
      }
    // A delay begins with the commit.
    properties.delayLevel = 0
    draft.topic = halfTopic
    draft.queueId = 0
    return undefined
  }
}

/** Where a half message belongs; undefined when it does not say. */
export function realTarget({ properties }: Pick<StoredMessage, 'properties'>): RealTarget | undefined {
  const topic = properties.get(PropertyName.realTopic)
  const queueId = Number.parseInt(properties.get(PropertyName.realQueueId) ?? '', 10)
  return topic !== undefined && queueId >= 0 ? { topic, queueId } : undefined
}

export interface RealTarget {
  readonly topic: string
  readonly queueId: number
}

export interface ImmunitySettings {
  readonly transactionTimeOut: number
}

/** When a half message may first be asked about, ms since it was born; whether it says so itself. */
export function immunityOf(
  { properties }: Pick<StoredMessage, 'properties'>,
  { transactionTimeOut }: ImmunitySettings,
): { ms: number; isOwn: boolean } {
  const seconds = Number.parseInt(properties.get(PropertyName.checkImmunityTimeInSeconds) ?? '', 10)
  return seconds >= 0 ? { ms: seconds * 1000, isOwn: true } : { ms: transactionTimeOut, isOwn: false }
}

export function checkTimesOf({ properties }: Pick<StoredMessage, 'properties'>): number {
  return Number.parseInt(properties.get(PropertyName.transactionCheckTimes) ?? '', 10) || 0
}
