/** Above these, a queue is not pulled (client.md 5). */
export interface FlowLimits {
  /** Cached messages. */
  readonly count: number
  readonly bytes: number
  /** Largest minus smallest cached offset; undefined for orderly consumption. */
  readonly span: number | undefined
}

export type HeldBack = 'count' | 'size' | 'span'

/** Which limit a queue has passed; undefined where it may be pulled. */
export function heldBack(
  queue: { readonly count: number; readonly sizeBytes: number; readonly span: number },
  limits: FlowLimits,
): HeldBack | undefined {
  if (queue.count > limits.count) return 'count'
  if (queue.sizeBytes > limits.bytes) return 'size'
  return limits.span !== undefined && queue.span > limits.span ? 'span' : undefined
}

/** Limits per queue where there are limits per topic (-1: none), at a share of `owned` queues. */
export function sharedLimits(
  perQueue: { count: number; bytes: number },
  perTopic: { count: number; bytes: number },
  owned: number,
): { count: number; bytes: number } {
  const share = (topic: number, queue: number) =>
    topic === -1 || owned === 0 ? queue : Math.max(1, Math.floor(topic / owned))
  return { count: share(perTopic.count, perQueue.count), bytes: share(perTopic.bytes, perQueue.bytes) }
}
