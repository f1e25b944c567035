import { assert, type Clock } from '@skua-mq/runtime'
import { type CheckPoint, type JournalQueue, keyOf, type PopKey } from './check-point.ts'

/** Check points are looked for by their time in classes of this width. */
const classMs = 100

/**
 * Pops with messages that are not settled, in memory. Bounded in bytes: whoever pops asks for room first. What it holds can
 * be read again from the log, from `baseOf` on.
 */
export class CheckPoints {
  private readonly byKey = new Map<string, CheckPoint>()
  private readonly byTime = new Map<number, Set<CheckPoint>>()
  /** By place, of each queue they lie in; places only grow, so that the first is the least. */
  private readonly byPlace = new Map<JournalQueue, Map<number, CheckPoint>>()
  /** Keys of those that the log was given and has not answered for. */
  private readonly coming = new Set<string>()
  private readonly clock: Pick<Clock, 'now' | 'monotonic'>
  private readonly maxBytes: () => number
  bytes = 0

  constructor(clock: CheckPoints['clock'], maxBytes: () => number) {
    this.clock = clock
    this.maxBytes = maxBytes
  }

  get size(): number {
    return this.byKey.size
  }

  /** Whether one more pop may be begun. */
  get hasRoom(): boolean {
    return this.bytes < this.maxBytes()
  }

  find(key: PopKey): CheckPoint | undefined {
    return this.byKey.get(keyOf(key))
  }

  /** Whether it is still open. */
  holds(point: CheckPoint): boolean {
    return this.byKey.get(point.key) === point
  }

  /** Whether there is one with this key, or comes. */
  has(key: string): boolean {
    return this.byKey.has(key) || this.coming.has(key)
  }

  /** The log is given one: nobody else may take its key. */
  comes({ key }: CheckPoint): void {
    assert(!this.has(key), 'a check point is written once')
    this.coming.add(key)
  }

  /** The log did not take it. */
  comesNot({ key }: CheckPoint): void {
    this.coming.delete(key)
  }

  /**
   * One that lies in the log. From now on it is the monotonic clock that counts: a wall clock that jumps revives nothing. One that was
   * set back since the pop, before a start, keeps nobody waiting for longer than the invisible time.
   */
  add(point: CheckPoint): void {
    const restMs = Math.min(point.reviveAtMs - this.clock.now(), point.invisibleTime)
    point.dueAtMs = this.clock.monotonic() + restMs
    this.coming.delete(point.key)
    assert(!this.byKey.has(point.key) && point.place >= 0, 'a check point lies in the log, once')
    this.byKey.set(point.key, point)
    this.bytes += point.bytes
    this.enterTime(point)
    const ofQueue = this.byPlace.get(point.queue)
    if (ofQueue === undefined) this.byPlace.set(point.queue, new Map([[point.place, point]]))
    else ofQueue.set(point.place, point)
  }

  /** Some of its messages are settled; who is settled as a whole goes. */
  settle(point: CheckPoint, bits: number): void {
    point.settled |= bits
    if (point.isSettled) this.drop(point)
  }

  /** Nothing is to be done for it any more. */
  drop(point: CheckPoint): void {
    if (this.byKey.get(point.key) !== point) return
    this.byKey.delete(point.key)
    this.bytes -= point.bytes
    this.leaveTime(point)
    this.byPlace.get(point.queue)?.delete(point.place)
  }

  /** It cannot be revived now: others have their turn. */
  postpone(point: CheckPoint, ms: number): void {
    if (this.byKey.get(point.key) !== point) return
    this.leaveTime(point)
    point.dueAtMs = this.clock.monotonic() + ms
    this.enterTime(point)
  }

  private enterTime(point: CheckPoint): void {
    const time = classOf(point)
    const ofTime = this.byTime.get(time)
    if (ofTime === undefined) this.byTime.set(time, new Set([point]))
    else ofTime.add(point)
  }

  private leaveTime(point: CheckPoint): void {
    const time = classOf(point)
    const ofTime = this.byTime.get(time)
    ofTime?.delete(point)
    if (ofTime?.size === 0) this.byTime.delete(time)
  }

  /** Those whose messages are visible again, the oldest classes first, at most so many. */
  due(most: number): CheckPoint[] {
    const nowMs = this.clock.monotonic()
    const last = Math.floor(nowMs / classMs)
    const times = [...this.byTime.keys()].filter(time => time <= last).sort((a, b) => a - b)
    const due: CheckPoint[] = []
    for (const time of times) {
      for (const point of this.byTime.get(time)!) {
        if (due.length >= most) return due
        if (point.dueAtMs <= nowMs) due.push(point)
      }
    }
    return due
  }

  /** For how long none is due. */
  restMs(): number {
    let first = Number.POSITIVE_INFINITY
    for (const points of this.byTime.values()) for (const { dueAtMs } of points) first = Math.min(first, dueAtMs)
    return first - this.clock.monotonic()
  }

  /** The least place of one that is not settled; undefined where none lies in the queue. */
  baseOf(queue: JournalQueue): number | undefined {
    return this.byPlace.get(queue)?.keys().next().value
  }

  /** Those that lie before a place, the first ones first, at most so many. */
  before(queue: JournalQueue, place: number, most: number): CheckPoint[] {
    const found: CheckPoint[] = []
    for (const point of this.byPlace.get(queue)?.values() ?? []) {
      if (point.place >= place || found.length >= most) break
      found.push(point)
    }
    return found
  }

  /** It was written again, behind all others. */
  replace(point: CheckPoint, queue: JournalQueue, place: number): void {
    if (this.byKey.get(point.key) !== point) return
    this.byPlace.get(point.queue)?.delete(point.place)
    point.queue = queue
    point.place = place
    const ofQueue = this.byPlace.get(queue) ?? new Map<number, CheckPoint>()
    ofQueue.set(place, point)
    this.byPlace.set(queue, ofQueue)
  }

  /** Nothing is to be done for these any more; returns how many they were. */
  dropWhere(isGone: (point: CheckPoint) => boolean): number {
    const gone = [...this.byKey.values()].filter(isGone)
    for (const point of gone) this.drop(point)
    return gone.length
  }

  /** Messages that a group has taken of a topic and not settled. */
  *all(): Iterable<CheckPoint> {
    yield* this.byKey.values()
  }
}

const classOf = ({ dueAtMs }: CheckPoint): number => Math.floor(dueAtMs / classMs)
