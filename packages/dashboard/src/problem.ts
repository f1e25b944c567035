import { AdminError } from '@skua-mq/admin'

/** Why an answer is not given: what browsers and programs are told. */
export class Problem extends Error {
  /** Of HTTP. */
  readonly status: number
  /** Stable, for programs. */
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'Problem'
    this.status = status
    this.code = code
  }
}

/** As JSON: the cause, and what to try. */
export interface ProblemBody {
  readonly error: {
    readonly code: string
    readonly message: string
    /** Which server of the cluster it was about. */
    readonly address?: string
    readonly request?: string
    /** What RocketMQ calls the refusal. */
    readonly responseCode?: number
  }
}

const statusOf = {
  ARGUMENT: 400,
  NOT_FOUND: 404,
  REFUSED: 409,
  PARTIAL: 502,
  NETWORK: 502,
  NAME_SERVER: 502,
} as const

/** Anything that was thrown as an answer. */
export function problemAnswer(error: unknown): { readonly status: number; readonly body: ProblemBody } {
  if (error instanceof Problem)
    return { status: error.status, body: { error: { code: error.code, message: error.message } } }
  if (error instanceof AdminError) {
    const { code, message, address, request, responseCode } = error
    const more = {
      ...(address === undefined ? {} : { address }),
      ...(request === undefined ? {} : { request }),
      ...(responseCode === undefined ? {} : { responseCode }),
    }
    return { status: statusOf[code], body: { error: { code, message, ...more } } }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { status: 500, body: { error: { code: 'FAULT', message: `a fault of the dashboard: ${message}` } } }
}
