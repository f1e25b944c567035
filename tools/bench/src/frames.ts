import { encodeFrame, HeaderForm, pullMessage, sendBatchMessage, sendMessageV2, writeFields } from '@skua-mq/protocol'

/** Opaques have ten digits, so that one is patched into a frame without moving anything. */
export const firstOpaque = 1_000_000_000

export interface LoadShape {
  readonly topic: string
  readonly queues: number
  readonly bodyBytes: number
  /** Messages a request: 1, or a batch. */
  readonly batch: number
  readonly form: 'json' | 'binary'
  /** Sends go round over so many topics, named after `topic`; default that one. */
  readonly topics?: number | undefined
  /** The queue of those topics; default 0. */
  readonly fixedQueue?: number | undefined
  /** Pulls by this SQL92 expression instead of by tag. */
  readonly sql?: string | undefined
  /** Further properties of what is sent, as stored text. */
  readonly properties?: string | undefined
}

const properties = (id: number) =>
  `UNIQ_KEY\u0001${id.toString(16).toUpperCase().padStart(32, 'A')}\u0002WAIT\u0001true\u0002TAGS\u0001bench`

/** A send of one message or a batch to a queue, as Java's client writes it. */
export function sendFrame(shape: LoadShape, queueId: number): Buffer {
  const single = shape.batch === 1
  const header = {
    producerGroup: 'bench',
    topic: shape.topic,
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: shape.queues,
    queueId,
    sysFlag: 0,
    bornTimestamp: Date.now(),
    flag: 0,
    properties: single ? properties(queueId) + (shape.properties ?? '') : 'WAIT\u0001true',
    reconsumeTimes: 0,
    unitMode: false,
    batch: !single,
  }
  const body = Buffer.alloc(shape.bodyBytes, 'x')
  const spec = single ? sendMessageV2 : sendBatchMessage
  return frame(spec.code, writeFields(spec.header, header), shape, single ? body : batchBody(shape.batch, body))
}

function batchBody(count: number, body: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i < count; i++) {
    const text = Buffer.from(properties(i))
    const head = Buffer.alloc(20)
    head.writeInt32BE(20 + body.length + 2 + text.length, 0)
    head.writeInt32BE(body.length, 16)
    const length = Buffer.alloc(2)
    length.writeInt16BE(text.length, 0)
    parts.push(head, body, length, text)
  }
  return Buffer.concat(parts)
}

/** A pull of up to 32 messages with the subscription in it, so that no heartbeat is needed. */
export function pullFrame(
  shape: LoadShape,
  { queueId, offset, suspendMs = 0 }: { queueId: number; offset: number; suspendMs?: number },
): Buffer {
  const header = {
    consumerGroup: 'bench',
    topic: shape.topic,
    queueId,
    queueOffset: offset,
    maxMsgNums: 32,
    sysFlag: suspendMs > 0 ? 6 : 4,
    commitOffset: 0,
    suspendTimeoutMillis: suspendMs,
    subscription: shape.sql ?? '*',
    subVersion: 0,
    expressionType: shape.sql === undefined ? 'TAG' : 'SQL92',
  }
  return frame(pullMessage.code, writeFields(pullMessage.header, header), shape, undefined)
}

function frame(code: number, extFields: Record<string, string>, shape: LoadShape, body: Buffer | undefined): Buffer {
  const form = shape.form === 'json' ? HeaderForm.json : HeaderForm.binary
  return encodeFrame({ code, language: 0, version: 409, opaque: firstOpaque, flag: 0, extFields, body, form })
}

/** Where the opaque stands in a frame made here. */
export function opaquePlace(bytes: Buffer): number {
  return bytes[4] === 0 ? bytes.indexOf(String(firstOpaque)) : 8 + 5
}

export function patchOpaque(bytes: Buffer, at: number, opaque: number): void {
  if (bytes[4] === 1) {
    bytes.writeInt32BE(opaque, at)
    return
  }
  let rest = opaque
  for (let i = 9; i >= 0; i--) {
    bytes[at + i] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}
