import { opTopic } from '@skua-mq/protocol'
import { Draft, type MessageStore, type PutResult } from '@skua-mq/store'
import { appendDraft } from '../record/rewrite.ts'

const properties = Buffer.from('TAGS\u0001d\u0002WAIT\u0001true')

/** Writes down that a half message is decided, in 4.9's form, which both lines read. */
export function appendOp(
  store: Pick<MessageStore, 'append'>,
  op: { halfOffset: number; nowMs: number; storeHost: Uint8Array },
): Promise<PutResult> {
  const draft = new Draft()
  draft.topic = opTopic
  draft.bornAtMs = op.nowMs
  draft.bornHost = op.storeHost
  draft.body = Buffer.from(String(op.halfOffset))
  draft.bodyEnd = draft.body.length
  draft.properties = properties
  draft.propertiesEnd = properties.length
  return appendDraft(store, draft)
}

/** The half offsets in an op message's body: `5` as 4.9 writes, or `0,1,3,` as 5.x. */
export function halfOffsetsOf(body: Uint8Array): number[] {
  return Buffer.from(body)
    .toString('latin1')
    .split(',')
    .map(text => text.trim())
    .filter(text => /^\d{1,15}$/.test(text))
    .map(Number)
}
