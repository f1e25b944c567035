import {
  Perm,
  printProperties,
  ResponseCode,
  sendMessageV2,
  type TopicRouteData,
  templateTopic,
} from '@skua-mq/protocol'
import { unary } from '../grpc/method.ts'
import { checkMessage, topicOf } from '../message/checks.ts'
import { queueOfGroup } from '../message/group-queue.ts'
import { type Outgoing, outgoing } from '../message/stored.ts'
import { okStatus, overall, Refused, refusedBy, statusOf } from '../refused.ts'
import type { Brokers } from '../remote/brokers.ts'
import { Code } from '../v2/code.ts'
import { MessageType } from '../v2/enums.ts'
import { SendMessageRequest, SendMessageResponse, type SendResult } from '../v2/requests.ts'
import type { MessageValue, StatusDraft } from '../v2/shared.ts'
import { answered, type Ground } from './ground.ts'

type Needs = Pick<Ground, 'users' | 'types' | 'clients' | 'halves' | 'config' | 'clock'>

/** A queue that can be written, and its broker's master. */
interface Target {
  readonly brokerName: string
  readonly address: string
  readonly queueId: number
}

/** Of one request: each of them is a request to a broker. */
const maxMessages = 1024

/** Stored, with a wish unmet. */
const stored: ReadonlyMap<number, StatusDraft> = new Map([
  [ResponseCode.success, okStatus],
  [ResponseCode.flushDiskTimeout, { code: Code.masterPersistenceTimeout, message: 'the disk was not waited for' }],
  [ResponseCode.flushSlaveTimeout, { code: Code.slavePersistenceTimeout, message: 'the slave was not waited for' }],
  [ResponseCode.slaveNotAvailable, { code: Code.haNotAvailable, message: 'no slave is there' }],
])

/** Messages of one topic. */
export function sendMessage(needs: Needs) {
  let turn = 0
  const nextTurn = () => {
    turn = (turn + 1) % 0x7fff_ffff
    return turn
  }
  return unary(
    'SendMessage',
    { request: SendMessageRequest, response: SendMessageResponse, isLarge: true },
    answered(needs, async ({ messages }, { context, user }) => {
      const [first] = messages as readonly MessageValue[]
      if (first === undefined) throw new Refused(Code.messageCorrupted, 'there is no message to send')
      if (messages.length > maxMessages)
        throw new Refused(Code.payloadTooLarge, `${messages.length} messages: at most ${maxMessages} are taken at once`)
      const topic = topicOf(first.topic)
      if (messages.some(message => message.topic?.name !== first.topic?.name))
        throw new Refused(Code.messageCorrupted, 'all messages of a request must be of one topic')
      const nowMs = needs.clock.now()
      for (const message of messages as readonly MessageValue[]) checkMessage(message, needs.config, nowMs)
      const drafts = (messages as readonly MessageValue[]).map(message =>
        outgoing(message, { topic, nowMs, peer: context.remote.host }),
      )
      await checkType(drafts, { topic, brokers: user.brokers, ...needs })
      const route = await user.brokers.route(topic)
      const results = await Promise.all(
        drafts.map((draft, i) =>
          sent(draft, { topic, route, message: messages[i] as MessageValue, nextTurn, brokers: user.brokers }, needs),
        ),
      )
      return { status: overall(results.map(({ status }) => status ?? okStatus)), entries: results }
    }),
  )
}

async function checkType(
  drafts: readonly Outgoing[],
  { topic, brokers, types, config }: Pick<Needs, 'types' | 'config'> & { topic: string; brokers: Brokers },
): Promise<void> {
  if (!config.enableTopicMessageTypeCheck) return
  const accepted = await types.accepted(topic, brokers)
  for (const { type } of drafts)
    if (!accepted.includes(type)) {
      const message = `topic ${topic} takes messages of the types ${accepted}, and this one is of type ${type} (message.type)`
      throw new Refused(Code.messagePropertyConflictWithType, message)
    }
}

interface Way {
  readonly topic: string
  readonly route: TopicRouteData
  readonly message: MessageValue
  readonly nextTurn: () => number
  readonly brokers: Brokers
}

async function sent(draft: Outgoing, way: Way, needs: Needs): Promise<SendResult> {
  try {
    return await sendOne(draft, way, needs)
  } catch (error) {
    return { status: statusOf(error), messageId: draft.messageId }
  }
}

async function sendOne(
  draft: Outgoing,
  { topic, route, message, nextTurn, brokers }: Way,
  needs: Needs,
): Promise<SendResult> {
  const { messageGroup } = message.systemProperties ?? {}
  const target = targetOf(route, messageGroup, { nextTurn, brokers })
  if (target === undefined) throw new Refused(Code.forbidden, `no queue of topic ${topic} can be written`)
  const header = {
    ...{ producerGroup: topic, topic, defaultTopic: templateTopic, defaultTopicQueueNums: 4 },
    ...{ queueId: target.queueId, sysFlag: draft.sysFlag, bornTimestamp: draft.bornAtMs, flag: 0 },
    ...{ properties: printProperties(draft.properties), reconsumeTimes: 0, unitMode: false, batch: false },
  }
  const reply = await brokers.ask(target.address, { spec: sendMessageV2, header, body: draft.body })
  const status = stored.get(reply.code)
  if (status === undefined) throw refusedBy(reply.code, reply.remark)
  const { queueOffset, msgId, transactionId } = reply.header
  const result = { status, messageId: draft.messageId, offset: queueOffset }
  if (draft.type === MessageType.transaction) {
    const id = transactionId ?? draft.messageId
    const commitLogOffset = Number(BigInt(`0x${msgId.slice(-16)}`))
    needs.halves.put(topic, id, { brokerAddress: target.address, tranStateTableOffset: queueOffset, commitLogOffset })
    return { ...result, transactionId: id }
  }
  const { recallHandle } = reply.header
  return recallHandle === undefined || recallHandle === '' ? result : { ...result, recallHandle }
}

/** A queue by the message's group; else the next one, of brokers that answer as long as there are some. */
function targetOf(
  route: TopicRouteData,
  messageGroup: string | undefined,
  { nextTurn, brokers }: Pick<Way, 'nextTurn' | 'brokers'>,
): Target | undefined {
  const targets = route.queueDatas
    .filter(({ perm }) => (perm & Perm.write) !== 0)
    .toSorted((a, b) => (a.brokerName < b.brokerName ? -1 : 1))
    .flatMap(({ brokerName, writeQueueNums }) => {
      const address = route.brokerDatas.find(data => data.brokerName === brokerName)?.brokerAddrs.get(0)
      if (address === undefined) return []
      return Array.from({ length: writeQueueNums }, (_, queueId) => ({ brokerName, address, queueId }))
    })
  if (messageGroup !== undefined) return targets[queueOfGroup(messageGroup, targets.length)]
  const answering = targets.filter(({ address }) => !brokers.isSilent(address))
  const choice = answering.length === 0 ? targets : answering
  return choice[nextTurn() % choice.length]
}
