import { type Clock, every, type Socket, type Timer } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { encodeFrameHead, readOffset, reportBytes } from './ha-frame.ts'
import type { SlaveState } from './slave-progress.ts'
import { TransferRate } from './transfer-rate.ts'

export interface SlaveConnectionParts {
  readonly clock: Clock
  readonly store: Pick<MessageStore, 'readLog' | 'minPhysicalOffset' | 'maxPhysicalOffset'>
  readonly settings: {
    /** mappedFileSizeCommitLog */
    readonly fileBytes: number
    /** haTransferBatchSize */
    readonly frameBytes: () => number
    /** haSendHeartbeatInterval */
    readonly heartbeatMs: number
    /** haHousekeepingInterval */
    readonly silenceMs: number
    /** haAnswerTimeout: a slave that has confirmed nothing of what it was sent for so long is not waited for. */
    readonly answerMs: () => number
  }
  /** The first report fits this log: from here on the peer counts as a slave. A reason refuses it. */
  readonly joined: (connection: SlaveConnection) => string | undefined
  /** The slave has everything below this. */
  readonly confirmed: (offset: number) => void
  /** It has confirmed nothing for `silentMs`, though the log was sent to it until `sent`. */
  readonly faltered: (sent: number, silentMs: number) => void
  /** It confirms again. */
  readonly recovered: () => void
  /** Called once; the reason names what was wrong. */
  readonly closed: (reason: string) => void
}

/** So much may be on its way to a slave that does not read. */
const unsentLimit = 1024 * 1024

/** A report that says nothing new is answered, so that a slave hears that its master lives; once in so many ms at most. */
const echoMs = 100

/** Of the time that a slave has for its report, so much passes between two looks. */
const longestGraceMs = 50

/** One slave of this master (ha.md 2.2): sends the log from where the slave says it ends, and takes its reports. */
export class SlaveConnection implements SlaveState {
  readonly slave: string
  position = 0
  confirmedTo = 0
  keepsUp = true
  /** When the slave last confirmed something new; monotonic ms. */
  keptUpMs: number
  /** Since when something that was sent is not confirmed, and nothing new was; undefined while all is. */
  private owingSinceMs: number | undefined
  /** Looks whether it has been owing for too long. */
  private watchdog: Timer | undefined
  private readonly rate: TransferRate
  private readonly parts: SlaveConnectionParts
  private readonly socket: Socket
  private rest = Buffer.alloc(0)
  /** The next byte to be sent; undefined before the first report. */
  private next: number | undefined
  private sending: Promise<void> | undefined
  /** It was told that this log has not what it lacks: nothing more is sent, and its connection ends. */
  private isRefused = false
  private reason = 'the slave left'
  private lastHeardMs: number
  private lastSentMs: number
  /** How much of the log has left for the kernel, and since when it is so much. */
  private taken = 0
  private takenMs: number
  private timer: Timer | undefined

  constructor(socket: Socket, parts: SlaveConnectionParts) {
    this.socket = socket
    this.slave = `${socket.remote.host}:${socket.remote.port}`
    this.parts = parts
    this.rate = new TransferRate(parts.clock)
    this.lastHeardMs = parts.clock.monotonic()
    this.lastSentMs = this.lastHeardMs
    this.keptUpMs = this.lastHeardMs
    this.takenMs = this.lastHeardMs
    this.timer = every(
      parts.clock,
      () => Math.min(1000, parts.settings.heartbeatMs),
      () => this.tick(),
    )
    socket.start({
      data: chunk => this.data(chunk),
      drained: () => this.wake(),
      closed: error => this.gone(error?.message ?? this.reason),
    })
  }

  /** Whether the peer has reported where its log ends, and fitted. */
  get isSlave(): boolean {
    return this.next !== undefined
  }

  get sentTo(): number {
    return this.next ?? this.position
  }

  get bytesPerSecond(): number {
    return this.rate.bytesPerSecond
  }

  /** The log has grown. */
  wake(): void {
    if (this.sending !== undefined || this.next === undefined || this.timer === undefined || this.isRefused) return
    const round = this.send(this.next).finally(() => {
      this.sending = undefined
      // What came while the last read found nothing.
      if (this.timer !== undefined && this.socket.unsentBytes === 0 && this.hasMore()) this.wake()
    })
    this.sending = round
  }

  /** Whoever counts connections counts this one no longer: of many that are closed in one turn the socket tells later. */
  close(reason: string): void {
    this.gone(reason)
    this.socket.destroy()
  }

  private gone(reason: string): void {
    if (this.timer === undefined) return
    this.timer.cancel()
    this.timer = undefined
    this.watchdog?.cancel()
    this.parts.closed(reason)
  }

  /** Resolves when nothing of this connection reads the log any more; to be called after `close`. */
  async settled(): Promise<void> {
    await this.sending
  }

  /** Of all whole reports that have come the last one counts. */
  private data(chunk: Buffer): void {
    this.lastHeardMs = this.parts.clock.monotonic()
    const bytes = Buffer.concat([this.rest, chunk])
    const whole = bytes.length - (bytes.length % reportBytes)
    this.rest = bytes.subarray(whole)
    if (whole > 0 && !this.isRefused) this.reported(readOffset(bytes, whole - reportBytes))
  }

  private reported(offset: number): void {
    const { store } = this.parts
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > store.maxPhysicalOffset) {
      this.close(`the slave's log ends at ${offset}, this one at ${store.maxPhysicalOffset}`)
      return
    }
    if (this.next === undefined) this.begin(offset)
    else this.confirm(offset)
  }

  /** A first report says where to go on; it confirms nothing, since whoever connects can claim to have it all. */
  private begin(offset: number): void {
    const { store, settings, joined } = this.parts
    if (offset > 0 && offset < store.minPhysicalOffset) {
      this.refuseBehind(offset)
      return
    }
    // A slave without a log gets the last file, as from RocketMQ's master.
    const next = offset === 0 ? this.beginOfLastFile(settings.fileBytes) : offset
    this.position = offset
    const refusal = joined(this)
    if (refusal !== undefined) {
      this.close(refusal)
      return
    }
    this.next = next
    this.taken = next
    this.wake()
  }

  /** A report counts up to what was sent on this connection, whatever it says. */
  private confirm(offset: number): void {
    const sent = this.next as number
    const has = Math.min(offset, sent)
    if (has > this.position) {
      this.position = has
      this.keptUp()
      this.owingSinceMs = has < sent ? this.keptUpMs : undefined
    } else this.echo(sent)
    this.confirmedTo = Math.max(this.confirmedTo, has)
    this.parts.confirmed(has)
    this.wake()
  }

  private keptUp(): void {
    this.keptUpMs = this.parts.clock.monotonic()
    if (this.keepsUp) return
    this.keepsUp = true
    this.parts.recovered()
  }

  /** RocketMQ's master is silent until its next heartbeat; its slaves take one at any time. */
  private echo(sent: number): void {
    if (this.socket.unsentBytes === 0 && this.parts.clock.monotonic() - this.lastSentMs >= echoMs)
      this.write([encodeFrameHead(sent, 0)])
  }

  /** Something was sent. A timer is armed once for many frames, and looks when it fires how long it has been. */
  private owes(): void {
    this.owingSinceMs ??= this.parts.clock.monotonic()
    if (this.watchdog === undefined && this.keepsUp) this.watch(this.patienceMs, undefined)
  }

  /** It is looked at twice: after a standstill of this process what the slave said meanwhile is read between the two. */
  private get patienceMs(): number {
    return this.parts.settings.answerMs() - this.graceMs
  }

  private get graceMs(): number {
    return Math.min(longestGraceMs, Math.floor(this.parts.settings.answerMs() / 4))
  }

  private watch(ms: number, suspectedMs: number | undefined): void {
    this.watchdog = this.parts.clock.after(Math.max(1, ms), () => {
      this.watchdog = undefined
      const { owingSinceMs } = this
      if (owingSinceMs === undefined || this.timer === undefined || !this.keepsUp) return
      const silentMs = this.parts.clock.monotonic() - owingSinceMs
      if (silentMs < this.patienceMs) this.watch(this.patienceMs - silentMs, undefined)
      else if (suspectedMs !== owingSinceMs) this.watch(this.graceMs, owingSinceMs)
      else {
        this.keepsUp = false
        this.parts.faltered(this.next as number, silentMs)
      }
    })
  }

  /** What it lacks is deleted here. It is told where this log begins, which a slave of either kind takes as a misfit. */
  private refuseBehind(offset: number): void {
    this.isRefused = true
    const { minPhysicalOffset } = this.parts.store
    this.reason = `the slave's log ends at ${offset}, and what follows is deleted here: the log begins at ${minPhysicalOffset}. Empty the slave's store directory, so that it begins anew`
    this.write([encodeFrameHead(minPhysicalOffset, 0)])
    this.socket.end()
  }

  private beginOfLastFile(fileBytes: number): number {
    const { minPhysicalOffset, maxPhysicalOffset } = this.parts.store
    return Math.max(minPhysicalOffset, maxPhysicalOffset - (maxPhysicalOffset % fileBytes))
  }

  private async send(from: number): Promise<void> {
    let next = from
    try {
      while (this.timer !== undefined && this.socket.unsentBytes < unsentLimit) {
        if (next < this.parts.store.minPhysicalOffset) {
          this.refuseBehind(next)
          return
        }
        const bytes = await this.parts.store.readLog(next, this.parts.settings.frameBytes())
        if (bytes.length === 0 || this.timer === undefined) break
        this.write([encodeFrameHead(next, bytes.length), bytes])
        next += bytes.length
        this.rate.add(bytes.length)
        this.next = next
        this.owes()
      }
    } catch (error) {
      this.close(`the log could not be read: ${(error as Error).message}`)
    }
  }

  private hasMore(): boolean {
    return this.next !== undefined && this.next < this.parts.store.maxPhysicalOffset
  }

  private write(parts: readonly Uint8Array[]): void {
    this.lastSentMs = this.parts.clock.monotonic()
    this.socket.write(parts)
  }

  private tick(): void {
    const { clock, settings } = this.parts
    const now = clock.monotonic()
    if (now - this.lastHeardMs > settings.silenceMs) this.close(`nothing was heard for ${settings.silenceMs} ms`)
    else if (this.next === undefined) {
      if (now - this.lastSentMs > settings.silenceMs) this.close(`no report came for ${settings.silenceMs} ms`)
    } else this.look(this.next, now)
  }

  /** Whether the slave reads, and has heard of its master lately. */
  private look(next: number, now: number): void {
    const { settings } = this.parts
    const taken = next - this.socket.unsentBytes
    if (taken > this.taken || this.socket.unsentBytes === 0) {
      this.taken = taken
      this.takenMs = now
    } else if (now - this.takenMs > settings.silenceMs) {
      this.close(`it has read nothing for ${settings.silenceMs} ms`)
      return
    }
    if (now - this.lastSentMs >= settings.heartbeatMs) this.write([encodeFrameHead(next, 0)])
    this.wake()
  }
}
