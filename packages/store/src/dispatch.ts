import { PropertyScan, PropertySlot, scanProperties } from '@skua-mq/protocol'
import type { ConsumeQueue } from './consume-queue/consume-queue.ts'
import { extTagsHigh, extTagsLow } from './consume-queue/ext-unit.ts'
import type { UnitFields } from './consume-queue/unit.ts'
import type { IndexFiles } from './index-file/index-files.ts'
import { JavaHasher } from './index-file/java-hasher.ts'

const word = 0x1_0000_0000
const rollback = 0xc
const space = 0x20
const hash = 0x23

/** What dispatch needs to know of a record: a parsed one, or one that was just laid out. */
export interface DispatchRecord {
  bytes: Buffer
  physicalOffset: number
  size: number
  sysFlag: number
  storedAtMs: number
  hasQueueEntry: boolean
  propertiesAt: number
  propertiesLength: number
  /** Bytes at the end of the properties in which nothing stands that queue or index want. */
  plainTail: number
}

/** Tells for which filters a message is, as the bitmap that its extended unit carries; undefined: nobody asks. */
export interface MessageBitmaps {
  /** The stored properties are `bytes[from, to)`. */
  of(topic: string, bytes: Uint8Array, place: { from: number; to: number }): Uint8Array | undefined
}

export interface DispatchOptions {
  /** Entries get an extended unit each. */
  readonly isExtended: boolean
  readonly bitmaps: MessageBitmaps | undefined
}

/** Whether dispatch would find nothing in these properties. */
export const isPlain = (properties: PropertyScan): boolean => !wanted.some(slot => properties.has(slot))

const wanted = [PropertySlot.tags, PropertySlot.keys, PropertySlot.uniqueKey, PropertySlot.delay]

/** Puts a record of the log into its queue and into the index: at append, and again when recovery rebuilds them. */
export class Dispatch {
  private readonly index: IndexFiles | undefined
  private readonly options: DispatchOptions
  private readonly properties = new PropertyScan()
  private readonly hasher = new JavaHasher()
  private readonly unit: UnitFields = { physicalOffset: 0, size: 0, tagsHigh: 0, tagsLow: 0 }
  private seedTopic = ''
  private topicSeed = 0

  constructor(index: IndexFiles | undefined, options: DispatchOptions) {
    this.index = index
    this.options = options
  }

  /** A record that is new to both. */
  both(view: DispatchRecord, queue: ConsumeQueue): void {
    this.scan(view)
    if (view.hasQueueEntry) this.pushUnit(view, queue)
    this.putKeys(view, queue.topic)
  }

  toQueue(view: DispatchRecord, queue: ConsumeQueue): void {
    this.scan(view)
    this.pushUnit(view, queue)
  }

  toIndex(view: DispatchRecord, topic: string): void {
    this.scan(view)
    this.putKeys(view, topic)
  }

  /** Whether a record belongs into the index. */
  hasKeys(view: DispatchRecord): boolean {
    this.scan(view)
    const hasAny = this.properties.has(PropertySlot.uniqueKey) || this.properties.has(PropertySlot.keys)
    return hasAny && (view.sysFlag & rollback) !== rollback
  }

  private scan(view: DispatchRecord): void {
    const end = view.propertiesAt + view.propertiesLength - view.plainTail
    scanProperties(view.bytes, view.propertiesAt, end, this.properties)
  }

  private pushUnit(view: DispatchRecord, queue: ConsumeQueue): void {
    const { unit } = this
    unit.physicalOffset = view.physicalOffset
    unit.size = view.size
    const code = queue.special?.tagsCodeOf(view, this.properties)
    if (code === undefined) {
      unit.tagsLow = this.properties.tagsCode
      unit.tagsHigh = unit.tagsLow >> 31
    } else {
      unit.tagsHigh = Math.floor(code / word)
      unit.tagsLow = code | 0
    }
    if (this.options.isExtended) this.extend(view, queue)
    queue.push(unit)
  }

  /** Moves the tags code into an extended unit, and puts its address in its place. */
  private extend(view: DispatchRecord, queue: ConsumeQueue): void {
    const { unit } = this
    const place = { from: view.propertiesAt, to: view.propertiesAt + view.propertiesLength }
    const bitmap = this.options.bitmaps?.of(queue.topic, view.bytes, place)
    const { tagsHigh, tagsLow } = unit
    const address = queue.ext.put({ tagsHigh, tagsLow, storedAtMs: view.storedAtMs, bitmap })
    if (address < 0) return
    unit.tagsHigh = extTagsHigh(address)
    unit.tagsLow = extTagsLow(address)
  }

  private putKeys(view: DispatchRecord, topic: string): void {
    const { index, properties } = this
    if (index === undefined || (view.sysFlag & rollback) === rollback) return
    const uniqueKeyAt = properties.starts[PropertySlot.uniqueKey]!
    let at = properties.starts[PropertySlot.keys]!
    if (uniqueKeyAt < 0 && at < 0) return
    if (topic !== this.seedTopic) {
      this.seedTopic = topic
      this.hasher.seed = 0
      this.topicSeed = (Math.imul(this.hasher.ofText(topic), 31) + hash) | 0
    }
    this.hasher.seed = this.topicSeed
    if (uniqueKeyAt >= 0) this.putKey(view, uniqueKeyAt, properties.ends[PropertySlot.uniqueKey]!)
    const end = properties.ends[PropertySlot.keys]!
    while (at >= 0 && at < end) {
      let stop = at
      while (stop < end && view.bytes[stop] !== space) stop++
      if (stop > at) this.putKey(view, at, stop)
      at = stop + 1
    }
  }

  private putKey(view: DispatchRecord, start: number, end: number): void {
    this.index?.put(this.hasher.ofBytes(view.bytes, start, end), view.physicalOffset, view.storedAtMs)
  }
}
