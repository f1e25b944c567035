import { bool, int, long, optional, text, withDefault } from '../field.ts'
import { defineRequest } from '../request.ts'

/** Values of commitOrRollback, and bits of a message's sysFlag. */
export const TransactionState = { unknown: 0, prepared: 4, commit: 8, rollback: 12 } as const

/** The producer's verdict about a half message. Value 0 gets no answer at all. */
export const endTransaction = defineRequest({
  name: 'END_TRANSACTION',
  code: 37,
  header: {
    producerGroup: text,
    /** Queue offset of the half message. */
    tranStateTableOffset: long,
    commitLogOffset: long,
    /** `TransactionState`. */
    commitOrRollback: int,
    fromTransactionCheck: withDefault(bool, false),
    /** The unique id. */
    msgId: text,
    transactionId: optional(text),
    topic: optional(text),
    bname: optional(text),
  },
  direction: 'client to broker',
  section: '12',
  oneway: true,
})

/** Asks one producer of the group; body: the half message with its real topic and queue. */
export const checkTransactionState = defineRequest({
  name: 'CHECK_TRANSACTION_STATE',
  code: 39,
  header: {
    tranStateTableOffset: long,
    commitLogOffset: long,
    msgId: optional(text),
    transactionId: optional(text),
    offsetMsgId: optional(text),
    topic: optional(text),
    bname: optional(text),
  },
  direction: 'broker to client',
  section: '12',
  oneway: true,
})

/** Re-appends a half message that was given up, with its check count at 0. */
export const resumeCheckHalfMessage = defineRequest({
  name: 'RESUME_CHECK_HALF_MESSAGE',
  code: 323,
  header: { msgId: optional(text), topic: optional(text) },
  direction: 'tools to broker',
  section: 'admin.md 5',
})
