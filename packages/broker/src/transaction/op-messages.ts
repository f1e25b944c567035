import { Draft, type MessageStore, type PutResult } from '@skua-mq/store'
import { appendDraft } from '../record/rewrite.ts'
import { opTopic } from './half-message.ts'
import { readQueue } from './queue-reader.ts'

/** Decided half messages that a round keeps in mind; more end its reading. */
export const maxDecided = 1_000_000

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

/** What the op queue says from an offset on. */
export class DecidedHalves {
  /** Half offset to the op offset that decides it. */
  readonly byHalf = new Map<number, number>()
  /** Where to go on reading. */
  nextOp: number
  private readonly store: Pick<MessageStore, 'get' | 'maxOffset' | 'minOffset'>

  constructor(store: Pick<MessageStore, 'get' | 'maxOffset' | 'minOffset'>, fromOp: number) {
    this.store = store
    this.nextOp = Math.max(fromOp, store.minOffset(opTopic, 0))
  }

  /** Reads to the end of the queue; false when that is more than `maxDecided`. */
  async readAll(): Promise<boolean> {
    for await (const op of readQueue(this.store, { topic: opTopic, queueId: 0 }, this.nextOp)) {
      if (this.byHalf.size >= maxDecided) return false
      for (const half of halfOffsetsOf(op.body)) if (!this.byHalf.has(half)) this.byHalf.set(half, op.queueOffset)
      this.nextOp = op.queueOffset + 1
    }
    return true
  }

  /**
   * From which op on a later round has to read: all before decide half messages which lie before `halfOffset`. `awaited`
   * are such that lie before it, and whose decision is still asked for.
   */
  firstNeeded(halfOffset: number, awaited: ReadonlyMap<number, number>): number {
    let first = this.nextOp
    for (const [half, op] of this.byHalf) if ((half >= halfOffset || awaited.has(half)) && op < first) first = op
    return first
  }
}
