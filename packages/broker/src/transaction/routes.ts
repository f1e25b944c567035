import {
  endTransaction,
  getPendingTransactions,
  type PendingTransaction,
  parseOffsetMessageId,
  ResponseCode,
  resumeCheckHalfMessage,
} from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { EndTransaction } from './end-transaction.ts'
import type { TransactionChecks } from './transaction-checks.ts'

/** 37, 323, and our own list of what is pending. */
export function transactionRoutes(parts: {
  readonly end: EndTransaction
  readonly checks: Pick<TransactionChecks, 'resume'>
  readonly pending: (limit: number) => Promise<PendingTransaction[]>
}): Route[] {
  return [
    route(endTransaction, header => parts.end.take(header)),
    route(resumeCheckHalfMessage, async ({ msgId = '' }) => {
      const place = parseOffsetMessageId(msgId)
      if (place === undefined)
        return refuse(ResponseCode.systemError, `"${msgId}" is no offset id of a message (32 or 56 hexadecimal digits)`)
      const reason = await parts.checks.resume(place.physicalOffset)
      return reason === undefined ? ok({}) : refuse(ResponseCode.systemError, reason)
    }),
    route(getPendingTransactions, async ({ limit }) => {
      const transactions = await parts.pending(Math.max(0, limit))
      return ok({}, getPendingTransactions.replyBody!.encode({ transactions }))
    }),
  ]
}
