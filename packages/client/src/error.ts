import { NetError } from '@skua-mq/runtime'

/** Stable names of what can go wrong, for `error.code`; docs/client.md says what to do about each. */
export type ClientErrorCode =
  /** Options or arguments that cannot be. */
  | 'ARGUMENT'
  /** The client was not started, is closed, or is used in a way that excludes another. */
  | 'STATE'
  /** No name server is known, or none answers. */
  | 'NAME_SERVER'
  /** The topic has no route: the message says which of the causes it is. */
  | 'NO_ROUTE'
  /** A route, but no broker address that may be used. */
  | 'NO_BROKER'
  /** The time for the whole call is used up. */
  | 'TIMEOUT'
  /** A connection broke or could not be made. */
  | 'NETWORK'
  /** The broker answered with a refusal: see `responseCode`. */
  | 'BROKER'
  /** A message that may not be sent, or could not be read. */
  | 'MESSAGE'
  /** An offset below or above what the queue holds. */
  | 'OFFSET'
  /** A limit of this client is reached. */
  | 'LIMIT'

export interface ClientErrorOptions {
  readonly cause?: unknown
  /** Whether trying the same again may help. Default false. */
  readonly retriable?: boolean
  readonly responseCode?: number | undefined
}

/** Every error that this SDK throws on its own. The message is a sentence that says what to do. */
export class ClientError extends Error {
  readonly code: ClientErrorCode
  readonly retriable: boolean
  /** The broker's or name server's code where one answered (remoting.md 6). */
  readonly responseCode: number | undefined

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ClientError'
    this.code = code
    this.retriable = options.retriable ?? false
    this.responseCode = options.responseCode
  }
}

/** The text of anything thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Codes of the broker after which another try, at another broker, may help (client.md 4). */
const retriableCodes: ReadonlySet<number> = new Set([1, 2, 14, 16, 17, 204, 205, 1500])

export const isRetriableResponse = (code: number): boolean => retriableCodes.has(code)

/** A refusal as an error. `what` names the call, e.g. `sending to TopicA at broker-a`. */
export function brokerRefusal(what: string, reply: { code: number; remark: string | undefined }): ClientError {
  const remark = reply.remark === undefined || reply.remark === '' ? 'without a reason' : reply.remark
  return new ClientError('BROKER', `${what} was refused with code ${reply.code}: ${remark}`, {
    responseCode: reply.code,
    retriable: isRetriableResponse(reply.code),
  })
}

/** An error of the network as one of ours; others pass unchanged. */
export function networkError(what: string, error: unknown): unknown {
  if (!(error instanceof NetError)) return error
  const code = error.code === 'ETIMEOUT' ? 'TIMEOUT' : 'NETWORK'
  return new ClientError(code, `${what} failed: ${error.message}`, { cause: error, retriable: error.retriable })
}
