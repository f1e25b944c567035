import {
  type Clock,
  defineEvent,
  type Events,
  every,
  type Net,
  type Service,
  type Socket,
  type Timer,
} from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { FrameReader } from './frame-reader.ts'
import { encodeReport } from './ha-frame.ts'

export const masterConnected = defineEvent<{ master: string; offset: number }>('connected to the master', 'info')
export const masterSilent = defineEvent<{ master: string; silentMs: number }>('the master answers no report', 'warn')
export const masterHeard = defineEvent<{ master: string }>('the master answers again', 'info')
export const masterLost = defineEvent<{ master: string; reason: string }>('connection to the master lost', 'warn')

export interface MasterLinkParts {
  readonly clock: Clock
  readonly net: Net
  readonly events: Events
  readonly store: Pick<MessageStore, 'appendReplicated' | 'maxPhysicalOffset'>
  /** host:port of the master's HA listener, as the name servers or haMasterAddress say; undefined while nobody knows. */
  readonly haMasterAddr: () => string | undefined
  readonly settings: {
    /** haSendHeartbeatInterval */
    readonly heartbeatMs: number
    /** haHousekeepingInterval */
    readonly silenceMs: number
    /** haAnswerTimeout */
    readonly masterAnswerMs: number
  }
}

/** Time between two attempts to connect, and how long one may take (ha.md 2.1). */
const retryMs = 5000
const connectTimeoutMs = 3000
/** A master that says nothing between two rounds is asked whether it lives. */
const tickMs = 500

/** A slave's connection to its master (ha.md 2.1): says where the log here ends, and appends what comes. */
export class MasterLink implements Service {
  readonly name = 'master link'
  private readonly parts: MasterLinkParts
  private socket: Socket | undefined
  private master = ''
  private connecting = false
  private triedMs = Number.NEGATIVE_INFINITY
  private lastHeardMs = 0
  private lastReportMs = 0
  private reported = -1
  /** The master has gone on where the log here ended, since it is connected. */
  private hasFitted = false
  /** Connections to masters that began: between two of them the log here gets nothing. */
  connections = 0
  /** When the last frame without bytes came. */
  private echoedMs = Number.NEGATIVE_INFINITY
  /** It answers reports, as no master of RocketMQ's does: one that is silent is noticed. */
  private answersReports = false
  /** It has answered no report for haAnswerTimeout. The connection stays: it may be slow. */
  isSilent = false
  private overdueRounds = 0
  private reason = 'the master closed it'
  private lastReason = ''
  private timer: Timer | undefined

  constructor(parts: MasterLinkParts) {
    this.parts = parts
  }

  get isConnected(): boolean {
    return this.socket !== undefined
  }

  /** Whether the log here is the master's, as far as it goes: what the master says of its log counts here. */
  get isFollowing(): boolean {
    return this.socket !== undefined && this.hasFitted
  }

  async start(): Promise<void> {
    this.timer = every(this.parts.clock, tickMs, () => this.tick())
    this.learned()
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    this.timer = undefined
    this.drop('this broker stops')
  }

  /** The address may be known now, or another one. */
  learned(): void {
    const address = this.parts.haMasterAddr()
    if (this.socket !== undefined && address !== undefined && address !== this.master)
      this.drop(`the master is now ${address}`)
    if (this.socket === undefined) void this.connect()
  }

  private async connect(): Promise<void> {
    const { clock, net, haMasterAddr, events, store } = this.parts
    const address = haMasterAddr()
    if (this.connecting || this.timer === undefined || address === undefined) return
    if (clock.monotonic() - this.triedMs < retryMs) return
    this.triedMs = clock.monotonic()
    this.connecting = true
    const colon = address.lastIndexOf(':')
    const to = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
    try {
      const socket = await net.connect(to, { timeoutMs: connectTimeoutMs })
      if (this.timer === undefined) socket.destroy()
      else {
        this.master = address
        this.begin(socket)
        this.lastReason = ''
        events.emit(masterConnected({ master: address, offset: store.maxPhysicalOffset }))
      }
    } catch (error) {
      this.lost(address, (error as Error).message)
    } finally {
      this.connecting = false
    }
  }

  private begin(socket: Socket): void {
    const { clock } = this.parts
    this.socket = socket
    this.connections++
    this.hasFitted = false
    this.answersReports = false
    this.echoedMs = Number.NEGATIVE_INFINITY
    this.isSilent = false
    this.overdueRounds = 0
    this.reason = 'the master closed it'
    this.lastHeardMs = clock.monotonic()
    const reader = new FrameReader({
      head: (offset, length) => {
        if (length === 0) this.echoed()
        return this.fits(offset)
      },
      body: (offset, bytes) => this.append(offset, bytes),
      damaged: remark => this.drop(remark),
    })
    socket.start({
      data: chunk => {
        this.heard()
        reader.push(chunk)
        if (this.socket === socket && this.parts.store.maxPhysicalOffset > this.reported) this.report()
      },
      drained: () => {},
      closed: error => {
        if (this.socket !== socket) return
        this.socket = undefined
        this.lost(this.master, error?.message ?? this.reason)
      },
    })
    this.report()
  }

  /** Equal offsets are all that tells of equal logs: a slave which is ahead or behind must not go on. */
  private fits(offset: number): boolean {
    const end = this.parts.store.maxPhysicalOffset
    if (end === 0 || offset === end) {
      this.hasFitted = true
      return true
    }
    this.drop(`the master goes on at ${offset}, the log here ends at ${end}`)
    return false
  }

  private append(offset: number, bytes: Buffer): void {
    if (this.socket === undefined) return
    try {
      this.parts.store.appendReplicated(offset, bytes)
    } catch (error) {
      this.drop((error as Error).message)
    }
  }

  private report(): void {
    this.reported = this.parts.store.maxPhysicalOffset
    this.lastReportMs = this.parts.clock.monotonic()
    this.socket?.write([encodeReport(this.reported)])
  }

  private heard(): void {
    this.lastHeardMs = this.parts.clock.monotonic()
    this.overdueRounds = 0
    if (!this.isSilent) return
    this.isSilent = false
    this.parts.events.emit(masterHeard({ master: this.master }))
  }

  /** RocketMQ's master sends such a frame every haSendHeartbeatInterval; ours for each report that brings nothing new. */
  private echoed(): void {
    const now = this.parts.clock.monotonic()
    if (now - this.echoedMs <= this.answerMs) this.answersReports = true
    this.echoedMs = now
  }

  /** haAnswerTimeout, as far as rounds can tell. */
  private get answerMs(): number {
    return Math.max(2 * tickMs, this.parts.settings.masterAnswerMs)
  }

  /** Looked at in two rounds, so that a standstill of this process is not taken for the master's. */
  private watch(now: number): void {
    const { clock, events } = this.parts
    const silentMs = now - this.lastHeardMs
    if (silentMs >= tickMs / 2) this.report()
    if (silentMs <= this.answerMs - tickMs || !this.answersReports || this.isSilent || clock.leaps) return
    if (++this.overdueRounds < 2) return
    this.isSilent = true
    events.emit(masterSilent({ master: this.master, silentMs }))
  }

  private tick(): void {
    const { clock, settings } = this.parts
    const now = clock.monotonic()
    if (this.socket === undefined) void this.connect()
    else if (now - this.lastHeardMs > settings.silenceMs) this.drop(`nothing was heard for ${settings.silenceMs} ms`)
    else {
      this.watch(now)
      if (now - this.lastReportMs >= settings.heartbeatMs) this.report()
    }
  }

  private drop(reason: string): void {
    this.reason = reason
    const { socket } = this
    if (socket === undefined) return
    this.socket = undefined
    socket.destroy()
    this.lost(this.master, reason)
  }

  /** One event for one reason, since attempts go on for as long as it takes. */
  private lost(master: string, reason: string): void {
    if (reason === this.lastReason) return
    this.lastReason = reason
    this.parts.events.emit(masterLost({ master, reason }))
  }
}
