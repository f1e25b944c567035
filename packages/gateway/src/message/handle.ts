import { type ExtraInfo, parseExtraInfo, printExtraInfo } from '@skua-mq/protocol'
import { Refused } from '../refused.ts'
import { Code } from '../v2/code.ts'

/** What stands for a message that was received (grpc.md 9): POP's own text, and behind it where the message lies. */
export interface Handle extends ExtraInfo {
  readonly queueOffset: number
  /** -1 where the text has none. */
  readonly commitLogOffset: number
}

export const printHandle = (handle: Handle): string => `${printExtraInfo(handle)} ${handle.commitLogOffset}`

/** Throws Refused with INVALID_RECEIPT_HANDLE. */
export function parseHandle(text: string): Handle {
  const info = parseExtraInfo(text)
  const ninth = text.split(' ')[8]
  const commitLogOffset = ninth === undefined ? -1 : Number(ninth)
  if (info?.queueOffset === undefined || !Number.isSafeInteger(commitLogOffset))
    throw new Refused(Code.invalidReceiptHandle, 'the receipt handle is not one of this server')
  return { ...info, queueOffset: info.queueOffset, commitLogOffset }
}

/** When its message comes again. */
export const expiryOf = ({ popTime, invisibleTime }: Handle): number => popTime + invisibleTime
