import { type Dialect, SpanCopy } from '@skua-mq/protocol'
import { MessageKind } from './message-kind.ts'
import type { ReplyId } from './reply-id.ts'
import { wishNames } from './unmet-wish.ts'

const nameEnd = 1
const pairEnd = 2

/** Longest property string: its length field is a signed short (remoting.md 14.1). */
export const maxPropertiesBytes = 32_767

/** What of the dialect decides over the stored text. */
type PropertyKeeping = Pick<Dialect, 'propertiesEndWithSeparator' | 'storesWait' | 'storesRegion'>

/**
 * The property string of a message on its way to the log: read once, as bytes, since every message passes here. Pairs
 * that the broker does not store are left out, its own are added at the end, and what decides the message's way is
 * noted. One object is reused. (Map and strings instead cost 1.3 µs a message.)
 */
export class PropertyRewrite {
  readonly bytes = Buffer.allocUnsafeSlow(512 * 1024)
  length = 0
  /** Level of DELAY, 0 for none. */
  delayLevel = 0
  /** False for WAIT=false. */
  waitStored = true
  /** TRAN_MSG=true. */
  halfMessage = false
  /** It has a DELAY, of whatever level; it has a sharding key. */
  private isDelayed = false
  private isSharded = false
  /** It may ask for something that is not met, or a DELAY is not written in digits: `unmetWish` and the timers have to look at it. */
  asks = false
  /** With `asks` only: it waits for a time of its own, in this slot; 0 for none. */
  outMs = 0
  /** With `outMs` only: its unique key, by which it can be recalled. */
  recallKey = ''
  /** With `asks` only: it has a time of its own. */
  isTimer = false

  private batch = false
  private readonly spans = new SpanCopy()
  private readonly added = new SpanCopy()
  private readonly keeps: PropertyKeeping
  /** Where the text was read from, and where in it the last UNIQ_KEY stands. */
  private from: Uint8Array = this.bytes
  private uniqueStart = 0
  private uniqueEnd = 0

  constructor(keeps: PropertyKeeping) {
    this.keeps = keeps
  }

  /** UNIQ_KEY as it was read, of a batch also where it is not stored; empty without one. While what was read is valid. */
  get uniqueKey(): string {
    const { from, uniqueStart, uniqueEnd } = this
    return Buffer.from(from.buffer, from.byteOffset, from.length).toString('utf8', uniqueStart, uniqueEnd)
  }

  get hasUniqueKey(): boolean {
    return this.uniqueEnd > this.uniqueStart
  }

  /** `uniqueKey` as bytes. While what was read is valid. */
  copyUniqueKey(to: ReplyId): void {
    to.copy(this.from, this.uniqueStart, this.uniqueEnd)
  }

  /** The text is complete. */
  close(): void {
    if (this.keeps.propertiesEndWithSeparator) this.separate()
  }

  /**
   * Reads `from[start, end)`; CLUSTER and POP_CK are not copied (remoting.md 9.3), nor are WAIT and the region as the dialect says. Of a batch's own properties
   * UNIQ_KEY is not either: it would replace the id of every message in the batch (docs/differences.md).
   */
  read(from: Uint8Array, start: number, end: number, batch = false): void {
    this.batch = batch
    this.from = from
    this.uniqueStart = 0
    this.uniqueEnd = 0
    this.length = 0
    this.delayLevel = 0
    this.waitStored = true
    this.halfMessage = false
    this.isDelayed = false
    this.isSharded = false
    this.asks = false
    let kept = start
    let at = start
    while (at < end) {
      let equals = -1
      let stop = at
      for (; stop < end; stop++) {
        const byte = from[stop]
        if (byte === pairEnd) break
        if (byte === nameEnd && equals < 0) equals = stop
      }
      if (equals > at && this.dropped(from, at, equals, stop)) {
        this.copy(from, kept, at)
        kept = stop + 1
      }
      at = stop + 1
    }
    this.copy(from, kept, end)
  }

  /** As RocketMQ tells it, by the properties alone. */
  get kind(): MessageKind {
    if (this.halfMessage) return MessageKind.transaction
    if (this.isSharded) return MessageKind.fifo
    return this.isDelayed || (this.asks && this.isTimer) ? MessageKind.delay : MessageKind.normal
  }

  /** Adds a pair; texts are UTF-8. */
  add(name: string, value: string): void {
    this.separate()
    const { bytes } = this
    this.length += bytes.write(name, this.length, 'latin1')
    bytes[this.length++] = nameEnd
    this.length += bytes.write(value, this.length, 'utf8')
  }

  /** Adds pairs that are known in advance: a text of properties, as bytes. */
  addPairs(pairs: Uint8Array): void {
    this.separate()
    this.length = this.added.copy(this.bytes, this.length, pairs, 0, pairs.length)
  }

  private separate(): void {
    if (this.length > 0 && this.bytes[this.length - 1] !== pairEnd) this.bytes[this.length++] = pairEnd
  }

  private copy(from: Uint8Array, start: number, end: number): void {
    this.length = this.spans.copy(this.bytes, this.length, from, start, end)
  }

  private dropped(from: Uint8Array, at: number, equals: number, stop: number): boolean {
    switch (equals - at) {
      case 4:
        if (!named(from, at, 'WAIT')) return false
        this.waitStored = !named(from, equals + 1, 'false') || stop - equals !== 6
        return !this.keeps.storesWait
      case 5:
        if (named(from, at, 'DELAY')) {
          this.isDelayed = true
          this.delayLevel = digits(from, equals + 1, stop)
          if (this.delayLevel < 0) this.asks = true
        }
        return false
      case 6:
        return named(from, at, 'POP_CK')
      case 7:
        return named(from, at, 'CLUSTER')
      case 8:
        if (named(from, at, 'UNIQ_KEY')) {
          this.uniqueStart = equals + 1
          this.uniqueEnd = stop
          return this.batch
        }
        if (this.keeps.storesRegion && named(from, at, 'TRACE_ON')) return true
        if (named(from, at, 'TRAN_MSG')) this.halfMessage = stop - equals === 5 && named(from, equals + 1, 'true')
        return false
      case 10:
        return this.keeps.storesRegion && named(from, at, 'MSG_REGION')
      case 13:
        if (!this.isSharded) this.isSharded = named(from, at, '__SHARDINGKEY')
        return false
      case 12:
      case 14:
      case 15:
      case 16:
      case 18:
      case 20:
        if (!this.asks) this.asks = isWish(from, at, equals)
        return false
      default:
        return false
    }
  }
}

function isWish(bytes: Uint8Array, at: number, end: number): boolean {
  for (const name of wishNames) if (name.length === end - at && named(bytes, at, name)) return true
  return false
}

function named(bytes: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name.charCodeAt(i)) return false
  return true
}

/** A plain decimal number; -1 for anything else. */
function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 48
    if (digit < 0 || digit > 9 || value > 1_000_000) return -1
    value = value * 10 + digit
  }
  return value
}
