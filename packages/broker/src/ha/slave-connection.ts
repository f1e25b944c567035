import { type Clock, every, type Socket, type Timer } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { encodeFrameHead, readOffset, reportBytes } from './ha-frame.ts'

export interface SlaveConnectionParts {
  readonly clock: Clock
  readonly store: Pick<MessageStore, 'readLog' | 'minPhysicalOffset' | 'maxPhysicalOffset'>
  readonly settings: {
    /** mappedFileSizeCommitLog */
    readonly fileBytes: number
    /** haTransferBatchSize */
    readonly frameBytes: number
    /** haSendHeartbeatInterval */
    readonly heartbeatMs: number
    /** haHousekeepingInterval */
    readonly silenceMs: number
  }
  /** The slave has everything below this. */
  readonly confirmed: (offset: number) => void
  /** Called once; the reason names what was wrong. */
  readonly closed: (reason: string) => void
}

/** So much may be on its way to a slave that does not read. */
const unsentLimit = 1024 * 1024

/** One slave of this master (ha.md 2.2): sends the log from where the slave says it ends, and takes its reports. */
export class SlaveConnection {
  private readonly parts: SlaveConnectionParts
  private readonly socket: Socket
  private rest = Buffer.alloc(0)
  /** The next byte to be sent; undefined before the first report. */
  private next: number | undefined
  private sending = false
  private reason = 'the slave left'
  private lastHeardMs: number
  private lastSentMs: number
  private timer: Timer | undefined

  constructor(socket: Socket, parts: SlaveConnectionParts) {
    this.socket = socket
    this.parts = parts
    this.lastHeardMs = parts.clock.monotonic()
    this.lastSentMs = this.lastHeardMs
    this.timer = every(parts.clock, Math.min(1000, parts.settings.heartbeatMs), () => this.tick())
    socket.start({
      data: chunk => this.data(chunk),
      drained: () => this.wake(),
      closed: error => {
        this.timer?.cancel()
        this.timer = undefined
        parts.closed(error?.message ?? this.reason)
      },
    })
  }

  /** The log has grown. */
  wake(): void {
    void this.send()
  }

  close(reason: string): void {
    this.reason = reason
    this.socket.destroy()
  }

  /** Of all whole reports that have come the last one counts. */
  private data(chunk: Buffer): void {
    this.lastHeardMs = this.parts.clock.monotonic()
    const bytes = Buffer.concat([this.rest, chunk])
    const whole = bytes.length - (bytes.length % reportBytes)
    this.rest = bytes.subarray(whole)
    if (whole > 0) this.reported(readOffset(bytes, whole - reportBytes))
  }

  private reported(offset: number): void {
    const { store, settings, confirmed } = this.parts
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > store.maxPhysicalOffset) {
      this.close(`the slave's log ends at ${offset}, this one at ${store.maxPhysicalOffset}`)
      return
    }
    // A slave without a log gets the last file, as from RocketMQ's master.
    this.next ??= offset === 0 ? this.beginOfLastFile(settings.fileBytes) : offset
    confirmed(offset)
    this.wake()
  }

  private beginOfLastFile(fileBytes: number): number {
    const { minPhysicalOffset, maxPhysicalOffset } = this.parts.store
    return Math.max(minPhysicalOffset, maxPhysicalOffset - (maxPhysicalOffset % fileBytes))
  }

  private async send(): Promise<void> {
    if (this.sending || this.next === undefined || this.timer === undefined) return
    this.sending = true
    try {
      while (this.timer !== undefined && this.socket.unsentBytes < unsentLimit) {
        const bytes = await this.parts.store.readLog(this.next, this.parts.settings.frameBytes)
        if (bytes.length === 0 || this.timer === undefined) break
        this.write([encodeFrameHead(this.next, bytes.length), bytes])
        this.next += bytes.length
      }
    } catch (error) {
      this.close(`the log could not be read: ${(error as Error).message}`)
    } finally {
      this.sending = false
    }
    // What came while the last read found nothing.
    if (this.timer !== undefined && this.socket.unsentBytes === 0 && this.hasMore()) this.wake()
  }

  private hasMore(): boolean {
    const { minPhysicalOffset, maxPhysicalOffset } = this.parts.store
    return this.next !== undefined && this.next >= minPhysicalOffset && this.next < maxPhysicalOffset
  }

  private write(parts: readonly Uint8Array[]): void {
    this.lastSentMs = this.parts.clock.monotonic()
    this.socket.write(parts)
  }

  private tick(): void {
    const { clock, settings } = this.parts
    const now = clock.monotonic()
    if (now - this.lastHeardMs > settings.silenceMs) this.close(`nothing was heard for ${settings.silenceMs} ms`)
    else if (this.next !== undefined && now - this.lastSentMs >= settings.heartbeatMs)
      this.write([encodeFrameHead(this.next, 0)])
    this.wake()
  }
}
