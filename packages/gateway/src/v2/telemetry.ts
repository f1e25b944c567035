// What goes both ways on the stream of a client (grpc.md 5).
import { one, optional, text } from '../proto/field.ts'
import { type Decoded, type Drafted, message } from '../proto/message.ts'
import { Message, Settings, Status } from './shared.ts'

const nonce = [1, one(text)] as const
export const ThreadStackTrace = message('ThreadStackTrace', { nonce, threadStackTrace: [2, optional(text)] })
export const VerifyMessageResult = message('VerifyMessageResult', { nonce })
export const RecoverOrphanedTransactionCommand = message('RecoverOrphanedTransactionCommand', {
  message: [1, optional(Message)],
  transactionId: [2, one(text)],
})
export const PrintThreadStackTraceCommand = message('PrintThreadStackTraceCommand', { nonce })
export const VerifyMessageCommand = message('VerifyMessageCommand', { nonce, message: [2, optional(Message)] })
export const ReconnectEndpointsCommand = message('ReconnectEndpointsCommand', { nonce })

/** A status and one of the others. */
export const TelemetryCommand = message('TelemetryCommand', {
  status: [1, optional(Status)],
  settings: [2, optional(Settings)],
  threadStackTrace: [3, optional(ThreadStackTrace)],
  verifyMessageResult: [4, optional(VerifyMessageResult)],
  recoverOrphanedTransactionCommand: [5, optional(RecoverOrphanedTransactionCommand)],
  printThreadStackTraceCommand: [6, optional(PrintThreadStackTraceCommand)],
  verifyMessageCommand: [7, optional(VerifyMessageCommand)],
  reconnectEndpointsCommand: [8, optional(ReconnectEndpointsCommand)],
})
export type TelemetryValue = Decoded<typeof TelemetryCommand>
export type TelemetryDraft = Drafted<typeof TelemetryCommand>
