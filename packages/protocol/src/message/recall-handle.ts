const version = 'v1'

/** Which message is recalled (RocketMQ 5.x). */
export interface RecallHandle {
  readonly topic: string
  readonly brokerName: string
  /** A time within its slot. */
  readonly deliverMs: number
  readonly uniqueKey: string
}

/** `v1 topic broker time key` in URL-safe Base64, with the padding of Java's encoder. */
export function printRecallHandle({ topic, brokerName, deliverMs, uniqueKey }: RecallHandle): string {
  const bytes = Buffer.from(`${version} ${topic} ${brokerName} ${deliverMs} ${uniqueKey}`)
  const text = bytes.toString('base64url')
  return text + '='.repeat((4 - (text.length % 4)) % 4)
}

/** Undefined for a text that is none. The time may be NaN. */
export function parseRecallHandle(text: string): RecallHandle | undefined {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(text)) return undefined
  const [first, topic, brokerName, time, uniqueKey] = Buffer.from(text, 'base64url').toString('utf8').split(' ')
  if (first !== version || topic === undefined || brokerName === undefined || uniqueKey === undefined) return undefined
  return { topic, brokerName, deliverMs: /^\d{1,15}$/.test(time ?? '') ? Number(time) : Number.NaN, uniqueKey }
}
