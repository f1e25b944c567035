import { parseRecallHandle, ResponseCode, recallMessage as recallRequest } from '@skua-mq/protocol'
import { unary } from '../grpc/method.ts'
import { topicOf } from '../message/checks.ts'
import { okStatus, Refused } from '../refused.ts'
import { Code } from '../v2/code.ts'
import { MessageType } from '../v2/enums.ts'
import { RecallMessageRequest, RecallMessageResponse } from '../v2/requests.ts'
import { answered, type Ground } from './ground.ts'

type Needs = Pick<Ground, 'users' | 'clients' | 'types' | 'config'>

/** A message whose time of delivery has not come is taken back. */
export const recallMessage = (needs: Needs) =>
  unary(
    'RecallMessage',
    { request: RecallMessageRequest, response: RecallMessageResponse },
    answered(needs, async ({ topic, recallHandle }, { user }) => {
      const name = topicOf(topic)
      const handle = parseRecallHandle(recallHandle)
      if (handle === undefined) throw new Refused(Code.badRequest, 'the recall handle is not one of a message')
      if (needs.config.enableTopicMessageTypeCheck) {
        const accepted = await needs.types.accepted(name, user.brokers)
        if (!accepted.includes(MessageType.delay))
          throw new Refused(
            Code.messagePropertyConflictWithType,
            `topic ${name} has no messages with a time of delivery`,
          )
      }
      const address = await user.brokers.master(name, handle.brokerName)
      const header = { producerGroup: name, topic: name, recallHandle }
      const reply = await user.brokers.ask(address, { spec: recallRequest, header })
      // As RocketMQ's proxy: whatever the broker says against it is one code.
      if (reply.code !== ResponseCode.success)
        throw new Refused(Code.internalServerError, reply.remark ?? `the broker answered with code ${reply.code}`)
      return { status: okStatus, messageId: reply.header.msgId }
    }),
  )
