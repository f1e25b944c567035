import { ResponseCode } from '@skua-mq/protocol'
import type { SendStep } from './send-handler.ts'

/** What later folders bring is refused with 13, which clients do not retry; it is never stored as an ordinary message. */
export const notYetSteps: readonly SendStep[] = [
  ({ properties }) =>
    properties.halfMessage
      ? { code: ResponseCode.messageIllegal, remark: 'transactional messages are not supported yet' }
      : undefined,
  ({ properties }) =>
    properties.delayLevel > 0
      ? { code: ResponseCode.messageIllegal, remark: 'delayed messages (DELAY > 0) are not supported yet' }
      : undefined,
]
