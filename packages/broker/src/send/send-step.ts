import type { SendView } from '@skua-mq/protocol'
import type { Draft } from '@skua-mq/store'
import type { PropertyRewrite } from './property-rewrite.ts'
import type { SendStop } from './send-stop.ts'

/**
 * A message which is not stored as it came: the broker's folders for delay, transactions and retry change draft and
 * properties, or say why not. Undefined: go on.
 */
export type SendStep = (send: SendInWork) => SendStop | undefined

/** A checked message on its way: one reused object. */
export interface SendInWork {
  readonly view: SendView
  readonly draft: Draft
  readonly properties: PropertyRewrite
  /** UNIQ_KEY of the message, as it came or as it was made here; empty without one. */
  readonly uniqueKey: string
}
