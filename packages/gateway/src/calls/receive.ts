import { PropertyName, popMessage, ResponseCode, subscriptionData } from '@skua-mq/protocol'
import { filterOf, type GrpcClient } from '../clients/client.ts'
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
import { type Settler, settler } from './settle.ts'

type Needs = Pick<Ground, 'users' | 'groups' | 'clients' | 'renewals' | 'background' | 'config' | 'clock'>
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
  const user = needs.users.of(context)
  const client = needs.clients.find(context, user)
  const { brokers } = user
  const group = groupOf(request.group)
  const topic = topicOf(request.messageQueue?.topic)
  const { broker, id = -1 } = request.messageQueue ?? {}
  const { brokerName, address } = await brokers.receiver(topic, broker?.name ?? '')
  const facts = await needs.groups.facts(group, topic, brokers)
  const { expression, type } = filterOf(request.filterExpression)
  const wish = subscriptionData({ topic, expression, type, subVersion: 0 })
  if (wish === undefined)
    throw new Refused(Code.illegalFilterExpression, `"${expression.slice(0, 200)}" is not a ${type} expression`)
  const pollTime = pollingMs(request, { needs, context })
  const invisibleTime = invisibleMs(request, needs)
  const { config, clock } = needs
  // In order a push consumer has a receive for each queue; a simple one has one for all of them, as RocketMQ serves it.
  const queueId = facts.isFifo && request.autoRenew ? id : -1
  const header = {
    ...{ consumerGroup: group, topic, queueId, invisibleTime, pollTime },
    maxMsgNums: Math.min(Math.max(request.batchSize, 1), config.grpcClientConsumerLongPollingBatchSize),
    ...{ bornTime: clock.now(), initMode: 1, expType: type, exp: expression, order: facts.isFifo },
    ...(request.attemptId === undefined ? {} : { attemptId: request.attemptId }),
  }
  // Also of a client that is gone the answer is waited for: what it brings must not stay away for its invisible time.
  const reply = await brokers.ask(address, { spec: popMessage, header, timeoutMs: pollTime + answerMs })
  if (nothingFound.has(reply.code))
    return end(answers, { code: Code.messageNotFound, message: 'no new message' }, needs)
  if (reply.code !== ResponseCode.success) throw refusedBy(reply.code, reply.remark)
  const found = popped(reply.body ?? Buffer.alloc(0), reply.header, brokerName)
  const tags = new Set(wish.tagsSet)
  const from = { answers, tags, needs, brokers, topic, group, address, request, maxAttempts: facts.maxAttempts, client }
  await needs.background.run(() => handOver(found, from))
}

/** Clients before this version do not know ILLEGAL_POLLING_TIME; compared as text, as RocketMQ does. */
const pollingTimeKnownSince = '5.0.3'

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
  const version = context.header('x-mq-client-version') ?? ''
  throw new Refused(
    version < pollingTimeKnownSince ? Code.badRequest : Code.illegalPollingTime,
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
  /** None: all messages are wanted. Brokers compare hashes only, which different tags may share. */
  readonly tags: ReadonlySet<string>
  readonly answers: Answers<Answer>
  readonly needs: Needs
  readonly brokers: Brokers
  readonly topic: string
  readonly group: string
  readonly address: string
  readonly request: ReceiveRequest
  readonly maxAttempts: number
  readonly client: GrpcClient | undefined
}

async function handOver(found: readonly Popped[], over: HandOver): Promise<void> {
  const { answers, needs, brokers, topic, group, maxAttempts, tags } = over
  const settle = settler(brokers, { topic, group })
  const isWanted = ({ stored }: Popped) => tags.size === 0 || tags.has(stored.properties.get(PropertyName.tags) ?? '')
  const wanted = found.filter(isWanted)
  const alive = wanted.filter(({ stored }) => stored.reconsumeTimes < maxAttempts)
  const passed = Promise.allSettled(found.filter(one => !isWanted(one)).map(({ handle }) => settle.ack(handle)))
  // Tried as often as the group allows: the dead letters have them from now on.
  const dead = wanted.filter(({ stored }) => stored.reconsumeTimes >= maxAttempts)
  const buried = Promise.allSettled(dead.map(({ stored, handle }) => settle.bury(handle, stored.properties)))
  if (alive.length === 0) end(answers, { code: Code.messageNotFound, message: 'no match message' }, needs)
  else await deliver(alive, over, settle)
  await Promise.all([buried, passed])
}

/** What the client does not take comes to another one soon. */
async function deliver(alive: readonly Popped[], over: HandOver, settle: Settler): Promise<void> {
  const { answers, needs, brokers, topic, group, address, request, client } = over
  const isRenewed = request.autoRenew && client !== undefined
  // A push consumer that has left works on nothing any more, whatever it still reads.
  const isFor = !(isRenewed && client.hasLeft)
  if (isFor) answers.send({ status: okStatus })
  else end(answers, { code: Code.messageNotFound, message: 'the client has left' }, needs)
  const untaken = new Set(alive)
  for (const one of alive) {
    const { stored, handle } = one
    if (!isFor || !(await answers.room()) || (isRenewed && client.hasLeft)) break
    const message = delivered(stored, { topic, receiptHandle: printHandle(handle) })
    if (!answers.send({ message }, () => untaken.delete(one))) break
    if (isRenewed)
      needs.renewals.add({ client, brokers, topic, group, address, handle, attempt: stored.reconsumeTimes + 1 })
  }
  if (isFor) answers.send({ deliveryTimestamp: secondsOf(needs.clock.now()) })
  await answers.idle()
  const back = [...untaken].map(async ({ handle }) => {
    const renewed = client && (await needs.renewals.take(client, group, printHandle(handle)))
    try {
      await settle.change(renewed?.handle ?? handle, soonMs)
    } finally {
      renewed?.done()
    }
  })
  await Promise.allSettled(back)
}
