import { parseAddress } from '@skua-mq/remoting'
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
import { outranks } from '../role/role-book.ts'
import type { Copying, CopyProgress } from './copy-progress.ts'
import { FrameReader } from './frame-reader.ts'
import { encodeReport } from './ha-frame.ts'
import { askedFor, comparisonOf, type LogComparison, readAll } from './log-comparison.ts'
import type { BrokerInfo } from './master-info.ts'
import { findParting } from './parting.ts'
import { hasBytes } from './probe.ts'
import { ToldReasons } from './told-reasons.ts'
import { TransferRate } from './transfer-rate.ts'
import { unless } from './unless.ts'

export const masterConnected = defineEvent<{ master: string; offset: number }>('connected to the master', 'info')
export const masterSilent = defineEvent<{ master: string; silentMs: number }>('the master answers no report', 'warn')
export const masterHeard = defineEvent<{ master: string }>('the master answers again', 'info')
export const masterLost = defineEvent<{ master: string; reason: string }>('connection to the master lost', 'warn')

export interface MasterLinkParts {
  readonly clock: Clock
  readonly net: Net
  readonly events: Events
  readonly store: Pick<
    MessageStore,
    'appendReplicated' | 'maxPhysicalOffset' | 'minPhysicalOffset' | 'readLog' | 'landmarks'
  >
  /** host:port of the master's HA listener, as the name servers or haMasterAddress say; undefined while nobody knows. */
  readonly haMasterAddr: () => string | undefined
  /** Where the master is now, the name servers say to whoever registers: asked for as long as there is none. */
  readonly askAgain: () => void
  /** What the master says of itself; undefined where nobody knows where to ask. Throws where it does not answer. */
  readonly masterInfo: () => Promise<BrokerInfo | undefined>
  readonly role: {
    readonly epoch: number
    /** The log here is that of this master, as far as it goes. */
    follows(master: BrokerInfo): void
  }
  /** The log here goes another way than the master's from `at` on, and the master's is the one that counts. Ends this link. */
  readonly cut: (at: number) => void
  /** The log here is the master's, as has just become known. */
  readonly followed: () => void
  /** That has become known, or the connection is gone. */
  readonly news: () => void
  /** The log of a master that comes here from its beginning. */
  readonly copy: CopyProgress
  readonly settings: {
    /** haSendHeartbeatInterval */
    readonly heartbeatMs: number
    /** haHousekeepingInterval */
    readonly silenceMs: number
    /** haAnswerTimeout */
    readonly masterAnswerMs: number
    /** haCopyWholeLog */
    readonly copiesWholeLog: boolean
  }
}

/** Time between two attempts to connect, and how long one may take (ha.md 2.1). */
const retryMs = 5000
/** A broker that is the master since a moment ago may not listen yet: for so long after its address came it is tried with every tick. */
const newsMs = 5000
const connectTimeoutMs = 3000
/** A master that says nothing between two rounds is asked whether it lives. */
const tickMs = 500
/** How long the master may send nothing of what the log here ends with. */
const compareMs = 5000

/** What a connection begins with. */
interface Beginning {
  readonly master: string
  /** The end of the log here; undefined for an empty one. */
  readonly comparison: LogComparison | undefined
  /** What is asked for. */
  readonly from: number
  readonly info: BrokerInfo | undefined
  /** The log comes from its beginning. */
  readonly copying?: Copying
}

/** A slave's connection to its master (ha.md 2.1): says where the log here ends, and appends what comes. */
export class MasterLink implements Service {
  readonly name = 'master link'
  private readonly rate: TransferRate
  private readonly parts: MasterLinkParts
  private socket: Socket | undefined
  private beginning: Beginning | undefined
  private connecting: Promise<void> | undefined
  private triedMs = Number.NEGATIVE_INFINITY
  private tried: string | undefined
  private trying = new AbortController()
  /** When the address came that is tried. */
  private learnedMs = Number.NEGATIVE_INFINITY
  private askedMs = 0
  /** When something of the end of the log here came last, or the connection began. */
  private comparedMs = 0
  private lastHeardMs = 0
  private lastReportMs = 0
  private reported = -1
  /** Where the next bytes belong, once some have come: the store holds the beginning of a record, and its log ends before that. */
  private next: number | undefined
  /** The master has sent what the log here ends with, or all from its beginning. */
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
  private readonly toldReasons = new ToldReasons()
  private timer: Timer | undefined

  constructor(parts: MasterLinkParts) {
    this.parts = parts
    this.rate = new TransferRate(parts.clock)
  }

  /** Where the master's log ended when it was heard of last. */
  masterEnd = 0

  /** What the master's log ended with, asked of somebody else than this link. */
  endHeard(end: number): void {
    this.masterEnd = Math.max(this.masterEnd, end)
  }

  /** host:port of the master's HA listener, as far as it is known. */
  get master(): string | undefined {
    return this.beginning?.master ?? this.parts.haMasterAddr()
  }

  /** What came from the master in the last second, in bytes. */
  get bytesPerSecond(): number {
    return this.rate.bytesPerSecond
  }

  /** For how long the master and this link have said nothing, in ms; undefined before the first connection. */
  get silence(): { readonly readMs: number; readonly writtenMs: number } | undefined {
    if (this.beginning === undefined) return undefined
    const now = this.parts.clock.monotonic()
    return { readMs: now - this.lastHeardMs, writtenMs: now - this.lastReportMs }
  }

  get isConnected(): boolean {
    return this.socket !== undefined
  }

  /** A master whose log is followed here, and which was heard of lately. */
  get living(): string | undefined {
    return this.isFollowing && !this.isSilent ? this.beginning?.master : undefined
  }

  /** The own end of the connection, once the log here is known to be the master's, or there is none yet. */
  get connectedFrom(): string | undefined {
    const { socket } = this
    const isKnown = this.hasFitted || this.parts.store.maxPhysicalOffset === 0
    return socket !== undefined && isKnown ? `${socket.local.host}:${socket.local.port}` : undefined
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
    this.trying.abort()
    this.parts.copy.stop()
    await this.connecting
  }

  /** The address may be known now, or another one. */
  learned(): void {
    const address = this.parts.haMasterAddr()
    if (address !== undefined && address !== this.tried) {
      this.learnedMs = this.parts.clock.monotonic()
      this.triedMs = Number.NEGATIVE_INFINITY
      this.trying.abort()
    }
    if (this.socket !== undefined && address !== undefined && address !== this.beginning?.master)
      this.drop(`the master is now ${address}`)
    if (this.socket === undefined) this.connect()
  }

  private connect(): void {
    const { clock, haMasterAddr } = this.parts
    const address = haMasterAddr()
    if (this.connecting !== undefined || this.timer === undefined || address === undefined) return
    const now = clock.monotonic()
    if (now - this.triedMs < (now - this.learnedMs < newsMs ? tickMs : retryMs)) return
    this.triedMs = now
    this.tried = address
    this.trying = new AbortController()
    const { signal } = this.trying
    this.connecting = this.attempt(address, signal)
      .catch(error => {
        if (!signal.aborted) this.lost(address, (error as Error).message)
      })
      .finally(() => this.ended(signal))
  }

  private ended(signal: AbortSignal): void {
    this.connecting = undefined
    if (signal.aborted) this.connect()
  }

  private async attempt(master: string, signal: AbortSignal): Promise<void> {
    const { net, role, store } = this.parts
    let unknown = 'where its log begins is asked at its own port, which the name servers have not said'
    const info = await unless(signal, this.parts.masterInfo()).catch(error => {
      unknown = (error as Error).message
      return undefined
    })
    if (signal.aborted) return
    if (info !== undefined && info.epoch > 0 && info.epoch < role.epoch) {
      const since = `it is the master of epoch ${info.epoch}, and this broker has followed one of epoch ${role.epoch}`
      this.lost(master, `${since}: promote or demote one of them`)
      return
    }
    if (info?.role === 'SLAVE') {
      this.lost(
        master,
        'it is a slave itself: it has not begun as the master yet, or the name servers have not said which broker is it now',
      )
      return
    }
    const isAhead = info !== undefined && info.maxOffset < store.maxPhysicalOffset
    if (isAhead && (await this.parted(master, info, `its log ends at ${info.maxOffset}`))) return
    const beginning = await this.begins(master, info, unknown)
    if (beginning === undefined || signal.aborted) return
    const socket = await net.connect(parseAddress(master), { timeoutMs: connectTimeoutMs, signal })
    if (signal.aborted) socket.destroy()
    else this.begin(socket, beginning)
  }

  private async begins(master: string, info: BrokerInfo | undefined, unknown: string): Promise<Beginning | undefined> {
    const { store, settings } = this.parts
    if (store.maxPhysicalOffset > 0) {
      const comparison = await comparisonOf(store)
      return { master, info, comparison, from: comparison.from }
    }
    if (!settings.copiesWholeLog) return { master, info, comparison: undefined, from: 0 }
    if (info === undefined) {
      this.lost(master, `${unknown}; with haCopyWholeLog=false only its last file is taken`)
      return undefined
    }
    if (info.maxOffset === 0) return { master, info, comparison: undefined, from: 0 }
    const copying = { from: info.minOffset, to: info.maxOffset }
    return { master, info, comparison: undefined, from: askedFor(info.minOffset), copying }
  }

  private begin(socket: Socket, beginning: Beginning): void {
    const { clock, events, store } = this.parts
    this.socket = socket
    this.beginning = beginning
    this.connections++
    this.hasFitted = false
    this.next = undefined
    this.answersReports = false
    this.echoedMs = Number.NEGATIVE_INFINITY
    this.isSilent = false
    this.overdueRounds = 0
    this.reason = 'the master closed it'
    this.comparedMs = this.askedMs = this.lastHeardMs = clock.monotonic()
    const reader = new FrameReader({
      head: (offset, length) => {
        if (length === 0) this.echoed()
        if (this.hasFitted) this.endHeard(offset + length)
        return this.socket === socket && this.fits(offset)
      },
      body: (offset, bytes) => {
        if (this.socket === socket) this.take(offset, bytes)
      },
      damaged: remark => this.drop(remark),
    })
    socket.start({
      data: chunk => {
        this.heard()
        this.rate.add(chunk.length)
        reader.push(chunk)
        if (this.socket !== socket) return
        if (this.hasFitted && this.has > this.reported) this.report()
        this.parts.copy.came(chunk.length, socket, store.maxPhysicalOffset)
      },
      drained: () => {},
      closed: error => {
        if (this.socket !== socket) return
        this.gone(beginning.master, error?.message ?? this.reason)
      },
    })
    this.report()
    events.emit(masterConnected({ master: beginning.master, offset: store.maxPhysicalOffset }))
  }

  /** Where the master has to go on: a slave which is ahead or behind must not go on with it. */
  private get expected(): number {
    const { maxPhysicalOffset } = this.parts.store
    const { comparison, from } = this.beginning!
    if (comparison !== undefined && !comparison.isOver) return comparison.next
    return this.next ?? (maxPhysicalOffset === 0 ? from : maxPhysicalOffset)
  }

  private fits(offset: number): boolean {
    const { expected } = this
    // Asked for nothing in particular, the master begins with its last file.
    if (offset === expected || expected === 0) return true
    this.drop(`the master goes on at ${offset}, and was asked for ${expected}`)
    return false
  }

  private take(offset: number, bytes: Buffer): void {
    const { comparison, info, master } = this.beginning!
    let rest: Buffer | undefined = bytes
    if (comparison !== undefined && !comparison.isOver) {
      this.comparedMs = this.parts.clock.monotonic()
      rest = comparison.take(bytes)
    }
    if (rest === undefined) {
      const reason = `its log is another one from somewhere before ${comparison!.next + bytes.length} on`
      this.drop(reason)
      const { signal } = this.trying
      this.connecting ??= this.parted(master, info, reason)
        .then(() => {})
        .catch(error => this.lost(master, (error as Error).message))
        .finally(() => this.ended(signal))
      return
    }
    if (comparison?.isOver === false) return
    this.follow(info)
    if (rest.length > 0) this.append(offset + bytes.length - rest.length, rest)
  }

  private follow(info: BrokerInfo | undefined): void {
    if (this.hasFitted) return
    this.hasFitted = true
    this.toldReasons.clear()
    if (info !== undefined) {
      this.parts.role.follows(info)
      this.endHeard(info.maxOffset)
    }
    const { copying } = this.beginning!
    if (copying !== undefined) this.parts.copy.begins(copying)
    this.parts.followed()
    this.parts.news()
  }

  private append(offset: number, bytes: Buffer): void {
    const { store } = this.parts
    // What was asked for was the second byte of the log.
    const isFirst = offset === 1 && store.maxPhysicalOffset === 0
    try {
      if (isFirst) store.appendReplicated(0, Buffer.concat([Buffer.alloc(1), bytes]))
      else store.appendReplicated(offset, bytes)
      this.next = offset + bytes.length
    } catch (error) {
      this.drop((error as Error).message)
    }
  }

  /** Up to where the master's bytes are here, what the store holds of a record that is not whole among them. */
  private get has(): number {
    return this.next ?? this.parts.store.maxPhysicalOffset
  }

  /**
   * Nothing is confirmed before it is known that the log here is the master's: the first report is said again. What came of a record
   * counts, or the master would take a slave for silent to which a large one comes slowly; whoever waits at the master waits for whole ones.
   */
  private report(): void {
    this.reported = this.hasFitted ? this.has : this.beginning!.from
    this.lastReportMs = this.parts.clock.monotonic()
    this.socket?.write([encodeReport(this.reported)])
  }

  /**
   * The log here goes another way than that of the master. It is cut where a later epoch says that the master's counts; else
   * nothing is touched, since it may be the better one of the two. True where something was done.
   */
  private async parted(master: string, info: BrokerInfo | undefined, reason: string): Promise<boolean> {
    const { role, store } = this.parts
    if (info === undefined || !outranks(info.epoch, role.epoch)) {
      const told = info === undefined || info.epoch === 0 ? 'none' : info.epoch
      const advice = `its epoch is ${told}, the one here ${role.epoch}: nothing is cut. Promote the one that has what counts, and empty the store of the other`
      this.lost(master, `${reason}, the one here at ${store.maxPhysicalOffset}; ${advice}`)
      return false
    }
    const { clock, net } = this.parts
    // What another master's log says may be otherwise.
    const { signal } = this.trying
    const at = await findParting({
      store,
      master: info,
      hasSame: async ({ begin, end }) => {
        if (signal.aborted) throw new Error('this broker stops, or was told of another master')
        const from = askedFor(begin)
        return hasBytes({ clock, net }, parseAddress(master), { from, own: await readAll(store, from, end) })
      },
    })
    if (signal.aborted) return true
    if (at === undefined) this.lost(master, `${reason}; where the two part it cannot say: empty the store here`)
    else this.parts.cut(at)
    return true
  }

  private heard(): void {
    this.lastHeardMs = this.parts.clock.monotonic()
    this.overdueRounds = 0
    if (!this.isSilent) return
    this.isSilent = false
    this.parts.events.emit(masterHeard({ master: this.beginning!.master }))
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
    events.emit(masterSilent({ master: this.beginning!.master, silentMs }))
  }

  private tick(): void {
    const { clock, settings, copy } = this.parts
    const now = clock.monotonic()
    if (this.socket === undefined) {
      if (now - this.askedMs >= retryMs) {
        this.askedMs = now
        this.parts.askAgain()
      }
      this.connect()
      return
    }
    if (now - this.lastReportMs >= settings.heartbeatMs) this.report()
    if (copy.isPaused) this.lastHeardMs = now
    else if (now - this.lastHeardMs > settings.silenceMs) this.drop(`nothing was heard for ${settings.silenceMs} ms`)
    else if (this.isUncompared && now - this.comparedMs > compareMs)
      this.drop(`it has sent nothing from ${this.expected} on: does its log end there?`)
    else this.watch(now)
  }

  private get isUncompared(): boolean {
    return this.beginning?.comparison?.isOver === false
  }

  private drop(reason: string): void {
    this.reason = reason
    const { socket } = this
    if (socket === undefined) return
    this.gone(this.beginning!.master, reason)
    socket.destroy()
  }

  private gone(master: string, reason: string): void {
    this.socket = undefined
    this.lost(master, reason)
    this.parts.news()
  }

  /** One event for one reason, since attempts go on for as long as it takes. */
  private lost(master: string, reason: string): void {
    if (this.toldReasons.isNew(reason)) this.parts.events.emit(masterLost({ master, reason }))
  }
}
