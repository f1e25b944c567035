import { ResponseCode } from '@skua-mq/protocol'

/** An answer with a header: code 0, and those codes that are answers too (10, 11, 12 after a send; 19, 20, 21 after a pull). */
export interface Answer<R> {
  readonly code: ResponseCode
  readonly header: R
  readonly body?: Uint8Array | undefined
  readonly remark?: string | undefined
  /** Further extFields beside the header's, e.g. MSG_REGION. */
  readonly extra?: Readonly<Record<string, string>> | undefined
}

/** The peer asked for what cannot be. The remark names the cause and, where there is one, the setting. */
export interface Refusal {
  readonly code: Exclude<ResponseCode, 0>
  readonly remark: string
  readonly header?: undefined
  readonly extra?: Readonly<Record<string, string>> | undefined
}

export type Reply<R> = Answer<R> | Refusal

export const ok = <R>(header: R, body?: Uint8Array): Answer<R> => ({ code: ResponseCode.success, header, body })
export const answer = <R>(code: ResponseCode, header: R, remark?: string): Answer<R> => ({ code, header, remark })
export const refuse = (code: Exclude<ResponseCode, 0>, remark: string): Refusal => ({ code, remark })
