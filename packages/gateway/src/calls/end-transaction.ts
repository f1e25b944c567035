import { endTransaction as endRequest, TransactionState } from '@skua-mq/protocol'
import { unary } from '../grpc/method.ts'
import { topicOf } from '../message/checks.ts'
import { okStatus, Refused } from '../refused.ts'
import { Code } from '../v2/code.ts'
import { Resolution, TransactionSource } from '../v2/enums.ts'
import { EndTransactionRequest, StatusResponse } from '../v2/requests.ts'
import { answered, type Ground } from './ground.ts'

type Needs = Pick<Ground, 'users' | 'clients' | 'halves'>

/** What becomes of a half message. */
export const endTransaction = (needs: Needs) =>
  unary(
    'EndTransaction',
    { request: EndTransactionRequest, response: StatusResponse },
    answered(needs, async ({ topic, messageId, transactionId, resolution, source }, { user }) => {
      const name = topicOf(topic)
      if (transactionId.trim() === '') throw new Refused(Code.invalidTransactionId, 'transaction_id must not be blank')
      const half = needs.halves.take(name, transactionId)
      if (half === undefined) {
        const message = 'nothing is known of this transaction (any more): the broker will ask what became of it'
        throw new Refused(Code.invalidTransactionId, message)
      }
      const { brokerAddress, tranStateTableOffset, commitLogOffset } = half
      const header = {
        ...{ producerGroup: name, topic: name, tranStateTableOffset, commitLogOffset, msgId: messageId, transactionId },
        commitOrRollback: stateOf(resolution),
        fromTransactionCheck: source === TransactionSource.serverCheck,
      }
      await user.brokers.tell(brokerAddress, { spec: endRequest, header })
      return { status: okStatus }
    }),
  )

function stateOf(resolution: number): number {
  if (resolution === Resolution.commit) return TransactionState.commit
  return resolution === Resolution.rollback ? TransactionState.rollback : TransactionState.unknown
}
