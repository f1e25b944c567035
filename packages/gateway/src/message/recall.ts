/** What a delayed message is recalled by (remoting.md 15). */
export interface Recall {
  readonly topic: string
  readonly brokerName: string
  readonly deliverMs: number
  readonly messageId: string
}

/** URL-safe Base64 of `v1 topic broker time id`. */
export const recallHandle = ({ topic, brokerName, deliverMs, messageId }: Recall): string =>
  Buffer.from(`v1 ${topic} ${brokerName} ${deliverMs} ${messageId}`).toString('base64url')

/** Undefined for what is none. */
export function parseRecallHandle(text: string): Recall | undefined {
  const parts = Buffer.from(text, 'base64url').toString().split(' ')
  const [version, topic, brokerName, deliver, messageId] = parts
  const deliverMs = Number(deliver)
  if (parts.length !== 5 || version !== 'v1' || !Number.isSafeInteger(deliverMs)) return undefined
  return { topic: topic!, brokerName: brokerName!, deliverMs, messageId: messageId! }
}
