import { ResponseCode } from '@skua-mq/protocol'
import { NetError } from '@skua-mq/runtime'

/** Stable names of what can go wrong, for `error.code`. */
export type AdminErrorCode =
  /** Arguments that cannot be. */
  | 'ARGUMENT'
  /** No name server is known, or none answers. */
  | 'NAME_SERVER'
  /** A broker does not answer: `address` says which. */
  | 'NETWORK'
  /** A broker or name server answered with a refusal: see `responseCode` and `remark`. */
  | 'REFUSED'
  /** A cluster, broker, topic, group or message that is not there. */
  | 'NOT_FOUND'
  /** Some of the servers took a change and others did not: the message says which. */
  | 'PARTIAL'

export interface AdminErrorOptions {
  readonly cause?: unknown
  /** Where it happened, host:port. */
  readonly address?: string | undefined
  /** Name of the request in the protocol, e.g. GET_TOPIC_STATS_INFO. */
  readonly request?: string | undefined
  /** The server's code where one answered (remoting.md 6). */
  readonly responseCode?: number | undefined
  /** What the server said of it. */
  readonly remark?: string | undefined
}

/** Every error that this package throws on its own. The message names the server and the request, and says what to try. */
export class AdminError extends Error {
  readonly code: AdminErrorCode
  readonly address: string | undefined
  readonly request: string | undefined
  readonly responseCode: number | undefined
  readonly remark: string | undefined

  constructor(code: AdminErrorCode, message: string, options: AdminErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AdminError'
    this.code = code
    this.address = options.address
    this.request = options.request
    this.responseCode = options.responseCode
    this.remark = options.remark
  }
}

/** What may help after a refusal; by its code, since remarks differ between versions. */
const advice: Readonly<Record<number, string>> = {
  [ResponseCode.systemBusy]: 'the server is overloaded: try again in a moment',
  [ResponseCode.requestCodeNotSupported]: 'this version of the server does not know the request: ask a newer one',
  [ResponseCode.noPermission]: 'give an access key that may do this, or look at the permission of the topic',
  [ResponseCode.topicNotExist]: 'list the topics to see whether the name is right',
  [ResponseCode.subscriptionGroupNotExist]: 'list the groups to see whether the name is right',
  [ResponseCode.consumerNotOnline]: 'no member of the group is connected to this broker: start one',
  [ResponseCode.consumeMessageTimeout]: 'the client did not answer the broker in time: see whether it hangs',
  [ResponseCode.flowControl]: 'the server limits the rate: try again in a moment',
}

/** A refusal as an error. */
export function refused(
  at: { readonly address: string; readonly request: string },
  reply: { readonly code: number; readonly remark: string | undefined },
): AdminError {
  const remark = reply.remark === undefined || reply.remark === '' ? 'without a reason' : firstLine(reply.remark)
  const isAcl = remark.includes('AclException')
  const hint = isAcl ? 'give the access key and secret of an account that may do this' : advice[reply.code]
  const message = `${at.request} at ${at.address} was refused with code ${reply.code}: ${remark}`
  return new AdminError('REFUSED', hint === undefined ? message : `${message} (${hint})`, {
    ...at,
    responseCode: reply.code,
    remark: reply.remark,
  })
}

/** Java puts its stack below the reason. */
const firstLine = (remark: string): string => remark.split('\n', 1)[0]!.trim()

/** An error of the network as one of ours; others pass unchanged. */
export function unanswered(at: { readonly address: string; readonly request: string }, error: unknown): unknown {
  if (!(error instanceof NetError)) return error
  const message = `${at.request} at ${at.address} failed: ${error.message} (${networkAdvice(error)})`
  return new AdminError('NETWORK', message, { ...at, cause: error })
}

/** What may help after a failed connection or a missing answer. */
export function networkAdvice({ code }: NetError): string {
  if (code === 'ECLOSED') return 'the server may take only TLS, or want a client certificate'
  if (code === 'ETIMEOUT') return 'check that it runs and can be reached from here, or give it more time'
  if (code === 'EADDRESS') return 'addresses are host:port'
  return 'check that it runs, and the address'
}

/** The text of anything thrown. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
