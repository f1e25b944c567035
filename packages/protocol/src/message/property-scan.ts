import { BufferView } from './buffer-view.ts'
import { javaHashBytes, utf8 } from './java-hash.ts'
import { nameValueSeparator, propertySeparator } from './properties.ts'
import { PropertyName } from './property-name.ts'

/** The properties which a broker looks at on the hot path, and where their positions stand in a `PropertyScan`. */
export const PropertySlot = {
  tags: 0,
  keys: 1,
  uniqueKey: 2,
  wait: 3,
  delay: 4,
  transactionPrepared: 5,
  producerGroup: 6,
  realTopic: 7,
  realQueueId: 8,
  innerMultiDispatch: 9,
  messageType: 10,
  timerDelaySeconds: 11,
  timerDelayMs: 12,
  timerDeliverMs: 13,
  innerNum: 14,
  innerBase: 15,
  maxReconsumeTimes: 16,
  reconsumeTime: 17,
  retryTopic: 18,
  cluster: 19,
} as const
export type PropertySlot = (typeof PropertySlot)[keyof typeof PropertySlot]

const slotNames: readonly (readonly [PropertySlot, string])[] = [
  [PropertySlot.tags, PropertyName.tags],
  [PropertySlot.keys, PropertyName.keys],
  [PropertySlot.uniqueKey, PropertyName.uniqueKey],
  [PropertySlot.wait, PropertyName.waitStoreMsgOk],
  [PropertySlot.delay, PropertyName.delayTimeLevel],
  [PropertySlot.transactionPrepared, PropertyName.transactionPrepared],
  [PropertySlot.producerGroup, PropertyName.producerGroup],
  [PropertySlot.realTopic, PropertyName.realTopic],
  [PropertySlot.realQueueId, PropertyName.realQueueId],
  [PropertySlot.innerMultiDispatch, PropertyName.innerMultiDispatch],
  [PropertySlot.messageType, PropertyName.messageType],
  [PropertySlot.timerDelaySeconds, PropertyName.timerDelaySeconds],
  [PropertySlot.timerDelayMs, PropertyName.timerDelayMs],
  [PropertySlot.timerDeliverMs, PropertyName.timerDeliverMs],
  [PropertySlot.innerNum, PropertyName.innerNum],
  [PropertySlot.innerBase, PropertyName.innerBase],
  [PropertySlot.maxReconsumeTimes, PropertyName.maxReconsumeTimes],
  [PropertySlot.reconsumeTime, PropertyName.reconsumeTime],
  [PropertySlot.retryTopic, PropertyName.retryTopic],
  [PropertySlot.cluster, PropertyName.cluster],
]

interface Candidate {
  readonly slot: PropertySlot
  readonly name: Uint8Array
}

/** The names by their length; a user's own property rarely shares length and first byte with one of them. */
const byLength: readonly (readonly Candidate[])[] = Array.from({ length: 24 }, (_, length) =>
  slotNames
    .filter(([, name]) => name.length === length)
    .map(([slot, name]) => ({ slot, name: new TextEncoder().encode(name) })),
)

/**
 * Where the values of a stored property text lie, for the names of `PropertySlot`. Reused for one message after another;
 * positions are into `bytes`, and both are -1 where the property is absent.
 */
export class PropertyScan {
  bytes: Uint8Array = new Uint8Array(0)
  /** Properties with a name and a value, of any name; a name given twice counts twice. */
  count = 0
  readonly starts = new Int32Array(slotNames.length).fill(-1)
  readonly ends = new Int32Array(slotNames.length).fill(-1)
  /** The slots to be emptied: few of them are filled, and filling both arrays costs a third of a scan. */
  private readonly taken = new Int32Array(slotNames.length)
  private takenCount = 0
  private code = 0
  private codeKnown = false

  has(slot: PropertySlot): boolean {
    return this.starts[slot]! >= 0
  }

  text(slot: PropertySlot): string | undefined {
    return this.has(slot) ? utf8(this.bytes, this.starts[slot]!, this.ends[slot]!) : undefined
  }

  /** A whole number in decimal; undefined when absent or anything else. */
  number(slot: PropertySlot): number | undefined {
    const text = this.text(slot)
    if (text === undefined || !/^[+-]?\d{1,19}$/.test(text)) return undefined
    const value = Number(text)
    return Number.isSafeInteger(value) ? value : undefined
  }

  /** Whether it is `true`, in any case: what Java's Boolean.parseBoolean takes. */
  isTrue(slot: PropertySlot): boolean {
    return this.ends[slot]! - this.starts[slot]! === 4 && this.text(slot)?.toLowerCase() === 'true'
  }

  /** The message wants to wait for its store: yes unless WAIT says something else than true. */
  get waits(): boolean {
    return !this.has(PropertySlot.wait) || this.isTrue(PropertySlot.wait)
  }

  /** Java's hash of TAGS, 0 without one (store.md 3.2). Computed when first asked for. */
  get tagsCode(): number {
    if (!this.codeKnown) {
      const start = this.starts[PropertySlot.tags]!
      this.code = start < 0 ? 0 : javaHashBytes(this.bytes, start, this.ends[PropertySlot.tags]!)
      this.codeKnown = true
    }
    return this.code
  }

  /** Forgets what was found and takes other bytes. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes
    this.count = 0
    while (this.takenCount > 0) {
      const slot = this.taken[--this.takenCount]!
      this.starts[slot] = -1
      this.ends[slot] = -1
    }
    this.codeKnown = false
  }

  /** Notes one pair: name in [nameAt, valueAt - 1), value in [valueAt, end). Of one name, the last pair counts. */
  take(nameAt: number, valueAt: number, end: number): void {
    this.count++
    const length = valueAt - 1 - nameAt
    if (length >= byLength.length) return
    for (const { slot, name } of byLength[length]!) {
      let i = 0
      while (i < length && this.bytes[nameAt + i] === name[i]) i++
      if (i < length) continue
      if (this.starts[slot]! < 0) this.taken[this.takenCount++] = slot
      this.starts[slot] = valueAt
      this.ends[slot] = end
      return
    }
  }
}

const views = new BufferView()

/**
 * Finds the properties of `PropertySlot` in the stored text [start, end), by the rules of `parseProperties`. A plain loop
 * without a string or an object per property, because every send and every dispatch runs it; the ends of values, which
 * most bytes are, are looked for a word at a time (UNIQ_KEY and TAGS: 65 ns, 110 byte by byte).
 */
export function scanProperties(bytes: Uint8Array, start: number, end: number, into: PropertyScan): void {
  into.reset(bytes)
  const view = views.of(bytes)
  const { base } = views
  let at = start
  while (at < end) {
    let middle = at
    let byte = bytes[middle]!
    while (middle < end && byte !== nameValueSeparator && byte !== propertySeparator) byte = bytes[++middle]!
    const stop = byte === nameValueSeparator ? valueEnd(view, base + middle + 1, base + end) - base : middle
    if (middle > at && middle < stop - 1) into.take(at, middle + 1, stop)
    at = stop + 1
  }
}

/** Where the separator of properties stands at or after `at`; at most `end`. */
function valueEnd(view: DataView, from: number, end: number): number {
  let at = from
  for (const last = end - 4; at <= last; at += 4) {
    // A byte that is the separator becomes zero, and only a zero byte borrows into its highest bit.
    const word = view.getInt32(at) ^ separators
    if (((word - 0x01010101) & ~word & 0x80808080) !== 0) break
  }
  while (at < end && view.getUint8(at) !== propertySeparator) at++
  return Math.min(at, end)
}

const separators = propertySeparator * 0x01010101
