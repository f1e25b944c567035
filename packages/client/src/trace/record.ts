/** Kinds of a traced message, by their number in a Pub record (client.md 13). */
export const TraceMessageType = { normal: 0, half: 1, commit: 2, delay: 3, order: 4 } as const

/** Outcome of a consumption, by its number in a SubAfter record. */
export const TraceContextCode = { success: 0, timeout: 1, exception: 2, returnNull: 3, failed: 4 } as const

interface TracedMessage {
  readonly topic: string
  readonly msgId: string
  readonly tags?: string | undefined
  readonly keys?: string | undefined
}

export interface PubRecord extends TracedMessage {
  readonly kind: 'Pub'
  readonly timestampMs: number
  readonly regionId: string
  readonly group: string
  readonly storeHost: string
  readonly bodyLength: number
  readonly costMs: number
  readonly messageType: number
  readonly offsetMsgId: string
  readonly success: boolean
}

export interface SubBeforeRecord {
  readonly kind: 'SubBefore'
  readonly timestampMs: number
  readonly regionId: string
  readonly group: string
  readonly requestId: string
  readonly msgId: string
  readonly retryTimes: number
  readonly keys?: string | undefined
}

export interface SubAfterRecord {
  readonly kind: 'SubAfter'
  readonly requestId: string
  readonly msgId: string
  readonly costMs: number
  readonly success: boolean
  readonly keys?: string | undefined
  readonly contextCode: number
  readonly timestampMs: number
  readonly group: string
}

export interface EndTransactionRecord extends TracedMessage {
  readonly kind: 'EndTransaction'
  readonly timestampMs: number
  readonly regionId: string
  readonly group: string
  readonly storeHost: string
  readonly messageType: number
  readonly transactionId: string
  readonly state: 'COMMIT_MESSAGE' | 'ROLLBACK_MESSAGE' | 'UNKNOW'
  readonly fromTransactionCheck: boolean
}

export type TraceRecord = PubRecord | SubBeforeRecord | SubAfterRecord | EndTransactionRecord

const fieldEnd = '\u0001'
const recordEnd = '\u0002'

/** One record as text, its end included. */
export function traceText(record: TraceRecord): string {
  return `${fieldsOf(record).join(fieldEnd)}${recordEnd}`
}

function fieldsOf(record: TraceRecord): (string | number | boolean)[] {
  const { kind } = record
  switch (kind) {
    case 'Pub': {
      const head = [kind, record.timestampMs, record.regionId, record.group, record.topic, record.msgId]
      const place = [record.tags ?? '', record.keys ?? '', record.storeHost, record.bodyLength]
      return [...head, ...place, record.costMs, record.messageType, record.offsetMsgId, record.success]
    }
    case 'SubBefore': {
      const head = [kind, record.timestampMs, record.regionId, record.group]
      return [...head, record.requestId, record.msgId, record.retryTimes, record.keys ?? '']
    }
    case 'SubAfter': {
      const head = [kind, record.requestId, record.msgId, record.costMs, record.success, record.keys ?? '']
      return [...head, record.contextCode, record.timestampMs, record.group]
    }
    case 'EndTransaction': {
      const head = [kind, record.timestampMs, record.regionId, record.group, record.topic, record.msgId]
      const place = [record.tags ?? '', record.keys ?? '', record.storeHost, record.messageType]
      return [...head, ...place, record.transactionId, record.state, record.fromTransactionCheck]
    }
  }
}

/** Ids and keys by which tools find the trace: KEYS of the trace message. */
export function traceKeys(records: readonly TraceRecord[]): string {
  const keys = new Set<string>()
  for (const { msgId, keys: own } of records) {
    keys.add(msgId)
    for (const key of (own ?? '').split(' ')) if (key !== '') keys.add(key)
  }
  return [...keys].join(' ')
}
