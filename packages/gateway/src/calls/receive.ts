import { popMessage, ResponseCode } from '@skua-mq/protocol'
import { filterOf } from '../clients/client.ts'
import { type Answers, type CallContext, serverStream } from '../grpc/method.ts'
import { groupOf, topicOf } from '../message/checks.ts'
import { delivered } from '../message/delivered.ts'
import { printHandle } from '../message/handle.ts'
import { type Popped, popped } from '../message/popped.ts'
import type { Drafted } from '../proto/message.ts'
import { okStatus, Refused, refusedBy, statusOf } from '../refused.ts'
import type { Brokers } from '../remote/brokers.ts'
import { Code } from '../v2/code.ts'
import { ReceiveMessageRequest, ReceiveMessageResponse, type ReceiveRequest } from '../v2/requests.ts'
import { msOf, secondsOf } from '../v2/times.ts'
import type { Ground } from './ground.ts'
import { settler } from './settle.ts'

type Needs = Pick<Ground, 'users' | 'groups' | 'clients' | 'renewals' | 'config' | 'clock'>
type Answer = Drafted<typeof ReceiveMessageResponse>

/** What a receive may still take when the client's deadline is subtracted. */
const beforeDeadlineMs = 500
/** How long messages that could not be handed over stay away. */
const soonMs = 1000

/** Messages for a consumer; waits for them. */
export const receiveMessage = (needs: Needs) =>
  serverStream(
    'ReceiveMessage',
    { request: ReceiveMessageRequest, response: ReceiveMessageResponse },
    async (request, answers, context) => {
      try {
        await receive(request, answers, { needs, context })
      } catch (error) {
        answers.send({ status: statusOf(error) })
        answers.send({ deliveryTimestamp: secondsOf(needs.clock.now()) })
      }
    },
  )

interface Receiving {
  readonly needs: Needs
  readonly context: CallContext
}

async function receive(
  request: ReceiveRequest,
  answers: Answers<Answer>,
  { needs, context }: Receiving,
): Promise<void> {
  const client = needs.clients.find(context)
  const { brokers } = needs.users.of(context)
  const group = groupOf(request.group)
  const topic = topicOf(request.messageQueue?.topic)
  const { broker, id = -1 } = request.messageQueue ?? {}
  const brokerName = broker?.name ?? ''
  const address = await brokers.master(topic, brokerName)
  const facts = await needs.groups.facts(group, topic, brokers)
  const { expression, type } = filterOf(request.filterExpression)
  const pollTime = pollingMs(request, { needs, context })
  const invisibleTime = invisibleMs(request, needs)
  const { config, clock } = needs
  const header = {
    ...{ consumerGroup: group, topic, queueId: facts.isFifo ? id : -1, invisibleTime, pollTime },
    maxMsgNums: Math.min(Math.max(request.batchSize, 1), config.grpcClientConsumerLongPollingBatchSize),
    ...{ bornTime: clock.now(), initMode: 1, expType: type, exp: expression, order: facts.isFifo },
    ...(request.attemptId === undefined ? {} : { attemptId: request.attemptId }),
  }
  const options = { timeoutMs: pollTime + answerMs, signal: context.signal }
  const reply = await brokers.ask(address, { spec: popMessage, header, ...options })
  if (nothingFound.has(reply.code))
    return end(answers, { code: Code.messageNotFound, message: 'no new message' }, needs)
  if (reply.code !== ResponseCode.success) throw refusedBy(reply.code, reply.remark)
  const found = popped(reply.body ?? Buffer.alloc(0), reply.header, brokerName)
  await handOver(found, {
    answers,
    needs,
    brokers,
    topic,
    group,
    address,
    request,
    maxAttempts: facts.maxAttempts,
    clientId: client?.id,
  })
}

/** How much longer than its hold an answer of a broker may take. */
const answerMs = 3000

const nothingFound: ReadonlySet<number> = new Set([
  ResponseCode.pollingTimeout,
  ResponseCode.pullNotFound,
  ResponseCode.pullRetryImmediately,
])

/** Throws Refused with ILLEGAL_POLLING_TIME. */
function pollingMs({ longPollingTimeout }: ReceiveRequest, { needs, context }: Receiving): number {
  const { config, clock } = needs
  const least = config.grpcClientConsumerMinLongPollingTimeoutMillis
  const most = config.grpcClientConsumerMaxLongPollingTimeoutMillis
  const left = context.deadlineMs - clock.monotonic()
  const wanted = longPollingTimeout === undefined ? left - answerMs / 2 : msOf(longPollingTimeout)
  const clamped = Math.min(Math.max(wanted, least), most)
  if (clamped + beforeDeadlineMs <= left) return Math.round(clamped)
  if (left >= least) return Math.round(Math.max(left - beforeDeadlineMs, 1))
  throw new Refused(
    Code.illegalPollingTime,
    `${Math.round(left)} ms are left of the call, a receive waits ${least} at least`,
  )
}

/** Throws Refused with ILLEGAL_INVISIBLE_TIME. */
function invisibleMs({ autoRenew, invisibleDuration }: ReceiveRequest, { config }: Pick<Needs, 'config'>): number {
  if (autoRenew) return config.defaultInvisibleTimeMills
  const wanted = invisibleDuration === undefined ? 0 : msOf(invisibleDuration)
  const { minInvisibleTimeMillsForRecv: least, maxInvisibleTimeMills: most } = config
  if (wanted >= least && wanted <= most) return wanted
  throw new Refused(
    Code.illegalInvisibleTime,
    `an invisible duration of ${wanted} ms: from ${least} to ${most} are taken`,
  )
}

function end(answers: Answers<Answer>, status: Answer['status'], { clock }: Pick<Needs, 'clock'>): void {
  answers.send({ status })
  answers.send({ deliveryTimestamp: secondsOf(clock.now()) })
}

interface HandOver {
  readonly answers: Answers<Answer>
  readonly needs: Needs
  readonly brokers: Brokers
  readonly topic: string
  readonly group: string
  readonly address: string
  readonly request: ReceiveRequest
  readonly maxAttempts: number
  readonly clientId: string | undefined
}

async function handOver(found: readonly Popped[], { answers, needs, ...rest }: HandOver): Promise<void> {
  const { brokers, topic, group, address, request, maxAttempts, clientId } = rest
  const settle = settler(brokers, { topic, group })
  const alive = found.filter(({ stored }) => stored.reconsumeTimes < maxAttempts)
  // Tried as often as the group allows: the dead letters have them from now on.
  for (const { stored, handle } of found)
    if (stored.reconsumeTimes >= maxAttempts) await settle.bury(handle, stored.properties).catch(() => {})
  if (alive.length === 0) return end(answers, { code: Code.messageNotFound, message: 'no match message' }, needs)
  answers.send({ status: okStatus })
  for (const { stored, handle } of alive) {
    const receiptHandle = printHandle(handle)
    if (answers.send({ message: delivered(stored, { topic, receiptHandle }) })) {
      if (request.autoRenew && clientId !== undefined)
        needs.renewals.add({ clientId, brokers, topic, group, address, handle, attempt: stored.reconsumeTimes + 1 })
    } else await settle.change(handle, soonMs).catch(() => {})
  }
  answers.send({ deliveryTimestamp: secondsOf(needs.clock.now()) })
}
