import {
  type ConsumeMessageDirectlyResult,
  consumeMessageDirectly,
  getConsumerRunningInfo,
  ResponseCode,
  readRecord,
  skuaVersion,
  versionName,
} from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import { delivered } from '../message/delivered.ts'
import { Code } from '../v2/code.ts'
import type { Roles } from './membership.ts'
import type { CommandStream, Questions } from './questions.ts'

export interface AskedParts {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly startedAtMs: number
  readonly questions: Questions
  readonly roles: () => Roles
  /** Undefined while the client has none open. */
  readonly stream: () => CommandStream | undefined
}

type ConsumeResult = ConsumeMessageDirectlyResult['consumeResult']

/** What a client says that it did with a message. */
const results: ReadonlyMap<number, ConsumeResult> = new Map<number, ConsumeResult>([
  [Code.ok, 'CR_SUCCESS'],
  [Code.failedToConsumeMessage, 'CR_LATER'],
  [Code.messageCorrupted, 'CR_RETURN_NULL'],
])

/** 307 and 309: operators ask a member through a broker, and it is asked on its stream (grpc.md 5). */
export const askedRoutes = (parts: AskedParts): readonly Route[] => [
  route(getConsumerRunningInfo, async ({ consumerGroup, jstackEnable }) => {
    const { consumer } = parts.roles()
    if (consumer?.groupName !== consumerGroup)
      return refuse(ResponseCode.systemError, `no consumer of ${consumerGroup}`)
    const jstack = jstackEnable ? await stackOf(parts) : undefined
    const properties = new Map([
      ['PROP_NAMESERVER_ADDR', ''],
      ['PROP_CONSUME_TYPE', consumer.consumeType ?? ''],
      ['PROP_CONSUMEORDERLY', 'false'],
      ['PROP_THREADPOOL_CORE_SIZE', '0'],
      ['PROP_CLIENT_VERSION', versionName(skuaVersion) ?? ''],
      ['PROP_CONSUMER_START_TIMESTAMP', String(parts.startedAtMs)],
    ])
    const { subscriptionDataSet: subscriptionSet } = consumer
    const info = { properties, subscriptionSet, mqTable: new Map(), statusTable: new Map(), jstack }
    return ok({}, getConsumerRunningInfo.replyBody!.encode(info))
  }),
  route(consumeMessageDirectly, async ({ consumerGroup, topic }, { body }) => {
    if (parts.roles().consumer?.groupName !== consumerGroup)
      return refuse(ResponseCode.systemError, `no consumer of ${consumerGroup}`)
    const message = readRecord(body)?.message
    if (message === undefined) return refuse(ResponseCode.systemError, 'the body is no message')
    const begun = parts.clock.monotonic()
    const verified = delivered(message, { topic: topic || message.topic })
    const answer = await parts.questions.ask(parts.stream(), nonce => ({
      verifyMessageCommand: { nonce, message: verified },
    }))
    if (answer === undefined) return refuse(ResponseCode.consumeMessageTimeout, 'the client did not answer')
    const { code = 0, message: remark = '' } = answer.status ?? {}
    const consumeResult = results.get(code)
    if (consumeResult === undefined) return refuse(ResponseCode.systemError, `the client answered ${code}: ${remark}`)
    const spentTimeMills = Math.round(parts.clock.monotonic() - begun)
    const result = { order: false, autoCommit: true, consumeResult, remark: 'from gRPC client', spentTimeMills }
    return ok({}, consumeMessageDirectly.replyBody!.encode(result))
  }),
]

async function stackOf({ questions, stream }: AskedParts): Promise<string | undefined> {
  const answer = await questions.ask(stream(), nonce => ({ printThreadStackTraceCommand: { nonce } }))
  return answer?.threadStackTrace?.threadStackTrace
}
