import type { ResponseCode } from '@skua-mq/protocol'

/** Why a message is not stored. */
export interface SendStop {
  readonly code: Exclude<ResponseCode, 0>
  readonly remark: string
}
