import { draftRecord, encodeHost, recordSize, writeRecord } from '@skua-mq/protocol'

const host = encodeHost('10.0.0.9', 10911)!

export interface RecordWish {
  readonly topic?: string
  readonly queueId?: number
  readonly queueOffset: number
  readonly body?: string | Uint8Array
  readonly properties?: Readonly<Record<string, string>>
  readonly sysFlag?: number
  readonly flag?: number
  readonly storedAtMs?: number
  readonly bornAtMs?: number
  readonly reconsumeTimes?: number
  readonly physicalOffset?: number
  readonly preparedTransactionOffset?: number
}

/** A message as it lies in a broker's log. The unique id is `ID<queueOffset>` where none is given. */
export function record(wish: RecordWish): Buffer {
  const properties = { UNIQ_KEY: `ID${wish.queueOffset}`, ...wish.properties }
  const text = Object.entries(properties).map(([name, value]) => `${name}\u0001${value}`)
  const draft = draftRecord({
    topic: Buffer.from(wish.topic ?? 'T'),
    body: Buffer.from(wish.body ?? `${wish.queueOffset}`),
    properties: Buffer.from(text.join('\u0002')),
    queueOffset: wish.queueOffset,
    bornHost: host,
    storeHost: host,
    ...(wish.queueId === undefined ? {} : { queueId: wish.queueId }),
    ...(wish.sysFlag === undefined ? {} : { sysFlag: wish.sysFlag }),
    ...(wish.flag === undefined ? {} : { flag: wish.flag }),
    ...(wish.storedAtMs === undefined ? {} : { storeTimestamp: wish.storedAtMs }),
    ...(wish.bornAtMs === undefined ? {} : { bornTimestamp: wish.bornAtMs }),
    ...(wish.reconsumeTimes === undefined ? {} : { reconsumeTimes: wish.reconsumeTimes }),
    ...(wish.physicalOffset === undefined ? {} : { physicalOffset: wish.physicalOffset }),
    ...(wish.preparedTransactionOffset === undefined
      ? {}
      : { preparedTransactionOffset: wish.preparedTransactionOffset }),
  })
  const bytes = Buffer.alloc(recordSize(draft))
  writeRecord(bytes, 0, draft)
  return bytes
}

/** Messages `from` to `to` of a queue, as a pull answers them. */
export function records(from: number, to: number, wish: Omit<RecordWish, 'queueOffset'> = {}): Buffer {
  return Buffer.concat(Array.from({ length: to - from }, (_, n) => record({ ...wish, queueOffset: from + n })))
}
