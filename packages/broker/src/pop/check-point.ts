/** Which pop a message is of, without its broker. */
export interface PopKey {
  readonly topic: string
  readonly group: string
  readonly queueId: number
  readonly startOffset: number
  readonly popTime: number
}

/** What is known of a pop when it is made. */
export interface CheckPointParts extends PopKey {
  /** How long its messages are invisible, ms. */
  readonly invisibleTime: number
  readonly reviveQid: number
  readonly brokerName: string
  /** Distances of its messages from `startOffset`; at most 32. */
  readonly diffs: readonly number[]
}

/** Bits of a check point are an int: more messages have no place in it. */
export const maxPopped = 32

/** What a check point takes in memory, without its names and messages; measured. */
const checkPointBytes = 500
const messageBytes = 8

/** The same text for the same pop. */
export const keyOf = ({ topic, group, queueId, startOffset, popTime }: PopKey): string =>
  `${topic}@${group}@${queueId}@${startOffset}@${popTime}`

/** A queue of the log in which check points lie: 0 is that of the timer, n + 1 revive queue n. */
export type JournalQueue = number
export const timerQueue: JournalQueue = 0

/**
 * Messages that a group took out of a queue together and must acknowledge one by one. In memory from its pop until each of
 * them is settled: acknowledged, or laid into the retry topic.
 */
export class CheckPoint implements CheckPointParts {
  readonly topic: string
  readonly group: string
  readonly queueId: number
  readonly startOffset: number
  readonly popTime: number
  readonly invisibleTime: number
  readonly reviveQid: number
  readonly brokerName: string
  readonly diffs: readonly number[]
  readonly key: string
  readonly bytes: number
  /** Bits of the messages that are settled, and the log knows it. */
  settled = 0
  /** Bits of those whose acknowledgement the log was given and has not answered for. */
  pending = 0
  /** Where it lies: from there on a start reads it again. */
  queue: JournalQueue = timerQueue
  place = -1
  /** Where that record begins, physical: its messages lie before. What lies behind is of another life of the topic. */
  recordedAt = Number.POSITIVE_INFINITY
  /** The same time by the monotonic clock, once it is in memory. */
  dueAtMs = 0

  constructor(parts: CheckPointParts) {
    this.topic = parts.topic
    this.group = parts.group
    this.queueId = parts.queueId
    this.startOffset = parts.startOffset
    this.popTime = parts.popTime
    this.invisibleTime = parts.invisibleTime
    this.reviveQid = parts.reviveQid
    this.brokerName = parts.brokerName
    this.diffs = parts.diffs
    this.key = keyOf(parts)
    this.bytes = checkPointBytes + 2 * this.key.length + messageBytes * parts.diffs.length
  }

  /** When its messages are visible again, wall clock. */
  get reviveAtMs(): number {
    return this.popTime + this.invisibleTime
  }

  /** Whether it was written before the log ended there: one of a revive queue was there at the start. */
  isBefore(logEnd: number): boolean {
    return this.recordedAt < logEnd || this.recordedAt === Number.POSITIVE_INFINITY
  }

  /** The bits of all of its messages. */
  get all(): number {
    return this.diffs.length >= maxPopped ? -1 : (1 << this.diffs.length) - 1
  }

  get isSettled(): boolean {
    return (this.settled & this.all) === this.all
  }

  /** The bit of the message at a queue offset; 0 for one that is not of this pop. */
  bitOf(offset: number): number {
    const index = this.diffs.indexOf(offset - this.startOffset)
    return index < 0 ? 0 : 1 << index
  }

  /** The bits of the messages whose distances from `startOffset` are meant. */
  bitsWhere(isMeant: (diff: number) => boolean): number {
    return this.diffs.reduce((bits, diff, index) => (isMeant(diff) ? bits | (1 << index) : bits), 0)
  }

  /** Queue offsets of the messages whose bits are in none of `bits`. */
  offsetsWithout(bits: number): number[] {
    return this.diffs.filter((_diff, index) => (bits & (1 << index)) === 0).map(diff => this.startOffset + diff)
  }

  /** Queue offsets of the messages of some bits. */
  offsetsOf(bits: number): number[] {
    return this.offsetsWithout(~bits)
  }

  /** Where the group went on behind it. */
  get endOffset(): number {
    return this.startOffset + (this.diffs.at(-1) ?? -1) + 1
  }
}
