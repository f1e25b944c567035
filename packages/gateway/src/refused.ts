import { ResponseCode } from '@skua-mq/protocol'
import { NetError } from '@skua-mq/runtime'
import { Code } from './v2/code.ts'
import type { StatusDraft } from './v2/shared.ts'

/** Why a client does not get what it asked for: becomes the status of its answer. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: Code

  constructor(code: Code, message: string) {
    super(message)
    this.code = code
  }
}

export const okStatus: StatusDraft = { code: Code.ok, message: 'OK' }

/** What a broker or a name server refused, in the words of gRPC clients (grpc.md 3). */
const codes: ReadonlyMap<number, Code> = new Map<number, Code>([
  [ResponseCode.systemBusy, Code.tooManyRequests],
  [ResponseCode.flowControl, Code.tooManyRequests],
  [ResponseCode.pollingFull, Code.tooManyRequests],
  [ResponseCode.requestCodeNotSupported, Code.notImplemented],
  [ResponseCode.subscriptionGroupNotExist, Code.consumerGroupNotFound],
  [ResponseCode.topicNotExist, Code.topicNotFound],
  [ResponseCode.messageIllegal, Code.badRequest],
  [ResponseCode.noPermission, Code.forbidden],
  [ResponseCode.subscriptionParseFailed, Code.illegalFilterExpression],
  [ResponseCode.invalidParameter, Code.badRequest],
  [ResponseCode.noMessage, Code.invalidReceiptHandle],
])

/** The error for an answer that is no success. */
export function refusedBy(code: number, remark = `the broker answered with code ${code}`): Refused {
  // Access control of 4.x has no code of its own.
  if (remark.includes('AclException')) return new Refused(Code.unauthorized, remark)
  return new Refused(codes.get(code) ?? Code.internalServerError, remark)
}

/** The status for whatever went wrong. */
export function statusOf(error: unknown): StatusDraft {
  if (error instanceof Refused) return { code: error.code, message: error.message }
  if (error instanceof NetError) {
    const code = error.code === 'ETIMEOUT' ? Code.proxyTimeout : Code.internalServerError
    return { code, message: error.message }
  }
  return { code: Code.internalServerError, message: String(error) }
}

/** The status of several: theirs where all have one, else "multiple results". */
export function overall(statuses: readonly StatusDraft[]): StatusDraft {
  const [first] = statuses
  if (first === undefined) return okStatus
  return statuses.every(({ code }) => code === first.code) ? first : { code: Code.multipleResults, message: 'mixed' }
}
