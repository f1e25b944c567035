import type { OrderInfo, OrderInfos } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import { PeriodicSave } from '../persist/periodic-save.ts'
import type { TableFile } from '../persist/table-file.ts'

/** A queue of a topic, and a group that takes from it in order. */
export interface OrderPlace {
  readonly topic: string
  readonly group: string
  readonly queueId: number
}

/** Messages that are taken. */
export interface OrderTake {
  readonly attemptId: string | undefined
  readonly popTime: number
  readonly invisibleTime: number
  readonly offsets: readonly number[]
}

export interface OrderTableParts {
  readonly clock: Clock
  readonly file: TableFile<OrderInfos>
  /** flushConsumerOffsetInterval */
  readonly intervalMs: () => number
}

/** Queues of groups whose messages are taken in order; one more has the one that was taken longest ago forgotten. */
export const maxOrderInfos = 100_000
/** What nobody took for so long is forgotten, as in RocketMQ. */
const forgottenMs = 24 * 3600 * 1000

/** What became of an acknowledgement: where the group goes on, or why nothing changes. */
export type Acked = { readonly next: number } | 'of another pop' | 'not of this pop'

/**
 * What groups have taken out of queues in order. A queue with messages that are neither acknowledged nor visible again is
 * blocked for the group, but for the same attempt, whose answer may have been lost. Kept in config/consumerOrderInfo.json
 * as offsets are: every flushConsumerOffsetInterval, and at the end.
 */
export class OrderTable {
  private readonly parts: OrderTableParts
  private readonly infos = new Map<string, Map<number, OrderInfo>>()
  /** By info, its wall clock less the monotonic one: a clock that is set afterwards neither blocks a queue nor frees it. */
  private readonly clocks = new WeakMap<OrderInfo, number>()
  private count = 0
  private readonly saves: PeriodicSave<OrderInfos>

  constructor(parts: OrderTableParts) {
    this.parts = parts
    const { clock, file } = parts
    this.saves = new PeriodicSave({ clock, file, intervalMs: parts.intervalMs, value: () => ({ table: this.infos }) })
  }

  load(): void {
    for (const [key, queues] of this.parts.file.load()?.table ?? []) {
      this.infos.set(key, new Map(queues))
      this.count += queues.size
      // A clock that says a time before the last take was set back.
      for (const info of queues.values()) this.anchor(info, Math.max(info.l, this.parts.clock.now()))
    }
  }

  private anchor(info: OrderInfo, nowMs: number): void {
    this.clocks.set(info, nowMs - this.parts.clock.monotonic())
  }

  /** How much further the wall clock is than that of an info. */
  private skewOf(info: OrderInfo): number {
    const { clock } = this.parts
    return clock.now() - Math.floor(clock.monotonic() + this.clocks.get(info)!)
  }

  start(): void {
    this.saves.start()
  }

  stop(): void {
    this.saves.stop()
  }

  save(): void {
    this.saves.save()
  }

  /** Silent ones go; a clock that is set makes none of them silent. */
  expire(): void {
    const now = this.parts.clock.now()
    for (const [key, queues] of this.infos)
      for (const [queueId, info] of queues)
        if (now - this.skewOf(info) - info.l > forgottenMs) this.remove(key, queueId)
  }

  private find({ topic, group, queueId }: OrderPlace): OrderInfo | undefined {
    return this.infos.get(`${topic}@${group}`)?.get(queueId)
  }

  /** When a queue may be taken from, by the wall clock as it is now: in the past where it may now. */
  freeAt(place: OrderPlace, attemptId: string | undefined): number {
    const info = this.find(place)
    if (info === undefined || (info.a !== undefined && info.a === attemptId)) return 0
    let free = 0
    info.o.forEach((_, at) => {
      if (!isAcked(info, at)) free = Math.max(free, info.ot?.get(offsetAt(info, at)) ?? info.popTime + (info.i ?? 0))
    })
    return free === 0 ? 0 : free + this.skewOf(info)
  }

  take(place: OrderPlace, { attemptId, popTime, invisibleTime, offsets }: OrderTake): OrderInfo {
    const before = this.find(place)
    const [first = 0] = offsets
    const info: OrderInfo = {
      a: attemptId,
      popTime,
      i: invisibleTime,
      o: offsets.map((offset, at) => (at === 0 ? offset : offset - first)),
      ot: undefined,
      oc: before === undefined ? undefined : countsBehind(before, offsets, attemptId),
      l: this.parts.clock.now(),
      cm: 0,
    }
    this.anchor(info, this.parts.clock.now())
    this.put(place, info)
    return info
  }

  private put({ topic, group, queueId }: OrderPlace, info: OrderInfo): void {
    const key = `${topic}@${group}`
    const queues = this.infos.get(key) ?? new Map<number, OrderInfo>()
    if (!queues.has(queueId)) {
      this.count++
      if (this.count > maxOrderInfos) this.forgetOldest()
    }
    // Taken out and put in again: the first one of the map is the oldest.
    this.infos.delete(key)
    this.infos.set(key, queues)
    queues.set(queueId, info)
    this.saves.changed()
  }

  private forgetOldest(): void {
    for (const [key, queues] of this.infos)
      for (const queueId of queues.keys()) {
        this.remove(key, queueId)
        return
      }
  }

  private remove(key: string, queueId: number): void {
    const queues = this.infos.get(key)
    if (queues?.delete(queueId) !== true) return
    this.count--
    this.saves.changed()
    if (queues.size === 0) this.infos.delete(key)
  }

  /** The offsets that were taken last; undefined where nothing is known of the queue. */
  takenOf(place: OrderPlace): number[] | undefined {
    const info = this.find(place)
    return info?.o.map((_, at) => offsetAt(info, at))
  }

  /** At a start: what a power cut took of a queue, nobody has any more. The messages before it are free, and come again. */
  cutTo(endOf: (topic: string, queueId: number) => number): void {
    for (const [key, queues] of this.infos) {
      const topic = key.slice(0, key.indexOf('@'))
      for (const [queueId, info] of queues)
        if (info.o.some((_, at) => offsetAt(info, at) >= endOf(topic, queueId))) this.remove(key, queueId)
    }
  }

  /** A message is consumed. Nothing is known of a queue after a restart that lost it: the group goes on behind the message. */
  ack(place: OrderPlace, offset: number, popTime: number): Acked {
    const info = this.find(place)
    if (info === undefined) return { next: offset + 1 }
    if (info.popTime !== popTime) return 'of another pop'
    const at = info.o.findIndex((_, index) => offsetAt(info, index) === offset)
    if (at < 0) return 'not of this pop'
    info.cm = withBit(info.cm, at)
    this.saves.changed()
    const open = info.o.findIndex((_, index) => !isAcked(info, index))
    return { next: open < 0 ? offsetAt(info, info.o.length - 1) + 1 : offsetAt(info, open) }
  }

  /** A message is visible again at another time. */
  change(place: OrderPlace, offset: number, { popTime, visibleAtMs }: { popTime: number; visibleAtMs: number }): void {
    const info = this.find(place)
    if (info === undefined || info.popTime !== popTime) return
    // Another one has no time here, and whoever names many must not have them kept.
    if (!info.o.some((_, at) => offsetAt(info, at) === offset)) return
    info.ot ??= new Map()
    info.ot.set(offset, visibleAtMs - this.skewOf(info))
    this.saves.changed()
  }

  /** A reset: what was taken before counts nothing. */
  clear({ topic, group, queueId }: OrderPlace): void {
    this.remove(`${topic}@${group}`, queueId)
  }

  topicDeleted(isOf: (topic: string, group: string) => boolean): void {
    this.dropWhere(isOf)
  }

  groupDeleted(group: string): void {
    this.dropWhere((_topic, name) => name === group)
  }

  private dropWhere(isGone: (topic: string, group: string) => boolean): void {
    for (const [key, queues] of this.infos) {
      const at = key.indexOf('@')
      if (isGone(key.slice(0, at), key.slice(at + 1)))
        for (const queueId of [...queues.keys()]) this.remove(key, queueId)
    }
  }
}

const offsetAt = ({ o }: OrderInfo, at: number): number => (at === 0 ? o[0]! : o[0]! + o[at]!)

// At most 32 messages: the long of Java is a number here, whose bits are asked without making it an int.
const isAcked = ({ cm }: OrderInfo, at: number): boolean => Math.floor(cm / 2 ** at) % 2 === 1
const withBit = (bits: number, at: number): number => (Math.floor(bits / 2 ** at) % 2 === 1 ? bits : bits + 2 ** at)

/** How often messages were taken before this time; those of the same attempt are not taken once more. */
function countsBehind(
  before: OrderInfo,
  offsets: readonly number[],
  attemptId: string | undefined,
): Map<number, number> {
  if (before.a !== undefined && before.a === attemptId) return before.oc ?? new Map()
  const known = new Set(before.o.map((_, at) => offsetAt(before, at)))
  return new Map(offsets.filter(offset => known.has(offset)).map(offset => [offset, (before.oc?.get(offset) ?? 0) + 1]))
}
