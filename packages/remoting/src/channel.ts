import { ByteWriter, type Command, encodeFrame, FrameParser, HeaderForm, onewayFlag } from '@skua-mq/protocol'
import { type Address, type Clock, giveBack, NetError, type Socket, tlsErrorCode } from '@skua-mq/runtime'
import { Account, type Accounts } from './account.ts'
import type { Connection, OutgoingCommand } from './connection.ts'
import type { Identity } from './identity.ts'
import type { Later } from './later.ts'
import type { RemotingLimits } from './limits.ts'
import { Outbox } from './outbox.ts'
import { PendingCalls } from './pending-calls.ts'
import type { SendQueue } from './send-queue.ts'
import { TurnShare } from './turn-share.ts'

/** What a channel tells its owner. */
export interface ChannelOwner {
  /** A whole frame, in place: valid until this returns. */
  frame(channel: Channel, bytes: Buffer, start: number, end: number): void
  /** The bytes are no frames; the channel is closed by the owner. */
  broken(channel: Channel, error: Error): void
  /** It holds more bytes that were not handled than before. */
  carrying(channel: Channel): void
  /** It is owed more bytes than before. */
  owing(channel: Channel): void
  /** What was to be told to the peer cannot be written: no frame can say it. */
  unwritable(channel: Channel, code: number, error: unknown): void
  closed(channel: Channel): void
}

export interface ChannelParts extends Identity {
  readonly socket: Socket
  readonly owner: ChannelOwner
  readonly sends: SendQueue
  readonly clock: Clock
  readonly limits: RemotingLimits
  /** What all connections of the owner cost. */
  readonly accounts: Accounts
  /** Shares the turns among them; without it all frames are handled as they come. */
  readonly later?: Later | undefined
}

let lastId = 0

/** How often owners look for idle connections. */
export const idleSweepMs = 5000

/** A frame of this size costs time whatever it asks for: it is copied and searched. */
const heavyFrameBytes = 32 * 1024

/** Whoever holds so much of an incomplete frame has a costly one. */
const costlyHeldBytes = 1024 * 1024

/** Buffers above this size are not kept for the next turn. */
const keepBytes = 64 * 1024

/**
 * One connection: frames in, replies and requests out. What is written in a turn is collected in one buffer, between
 * slices of bodies that are sent as they are, and goes out as one write when the turn ends.
 */
export class Channel implements Connection {
  readonly id = ++lastId
  readonly remote: Address
  readonly local: Address
  open = true
  /** Bytes came or went since the last idle sweep. */
  private active = true
  private idleSinceMs: number
  /** The peer as stored records carry it; whoever stores messages keeps it here, so that it is made once. */
  remoteHost: Uint8Array | undefined
  /** The very first byte of the connection tells TLS from frames; -1 before it came. */
  firstByte = -1
  /** What this connection costs; whoever works for it writes it here. */
  readonly account: Account
  private readonly share: TurnShare
  private readonly parts: ChannelParts
  private readonly parser: FrameParser
  private readonly calls: PendingCalls
  private out = new ByteWriter(2048)
  /** Where in `out` the part begins that is not in `sliced` yet. */
  private cut = 0
  private sliced: Uint8Array[] = []
  private releases: (() => void)[] = []
  /** Bytes of bodies in `sliced`. */
  private slicedBytes = 0
  private readonly outbox: Outbox
  private queued = false
  /** Nothing is read from the socket. */
  private paused = false
  /** Waits in the queue of those who go on in another turn. */
  private deferred = false
  /** Bytes that came behind the frame at which the parser stopped. */
  private rest: Buffer | undefined
  /** Frames are handed on at the moment. */
  isHandling = false
  /** Since when there is some, monotonic. */
  private restSinceMs = 0
  /** The frame that was incomplete at the last sweep, and since when. */
  private sweptFrames = -1
  private incompleteSinceMs = 0
  private closeListeners: (() => void)[] | undefined

  constructor(parts: ChannelParts) {
    this.parts = parts
    this.idleSinceMs = parts.clock.monotonic()
    this.remote = parts.socket.remote
    this.local = parts.socket.local
    this.parser = new FrameParser({ maxFrameBytes: parts.limits.maxFrameBytes, giveBack })
    this.calls = new PendingCalls(parts.clock, parts.limits.maxPendingCalls)
    this.account = new Account(parts.accounts)
    this.outbox = new Outbox(parts.socket)
    this.share = new TurnShare(parts.clock, parts.later)
  }

  /** As what this side speaks. */
  get identity(): Identity {
    return this.parts
  }

  get peer(): string {
    return `${this.remote.host}:${this.remote.port}`
  }

  start(): void {
    this.parts.socket.start({
      data: chunk => this.received(chunk),
      drained: () => this.drained(),
      closed: error => this.gone(error),
    })
  }

  private received(chunk: Buffer): void {
    this.active = true
    this.account.received += chunk.length
    if (this.firstByte < 0) this.firstByte = chunk[0] ?? -1
    // The socket is paused, but may have read on before it knew.
    if (this.rest !== undefined) this.keep(Buffer.concat([this.rest, chunk]))
    else if (this.share.mustWait(this.parser.heldBytes >= costlyHeldBytes)) this.wait(Buffer.from(chunk))
    else this.handle(chunk)
  }

  private wait(bytes: Buffer): void {
    this.keep(bytes, this.parts.clock.monotonic())
    this.pause()
    if (this.open && !this.isBlocked) this.defer()
  }

  /** Handles the frames of a chunk as far as this connection may go now; what is left waits. */
  private handle(bytes: Buffer): void {
    this.share.begin(this.asked)
    this.isHandling = true
    const taken = this.parse(bytes)
    this.isHandling = false
    if (!this.share.end(taken, this.asked) || this.paused || !this.open) return
    this.pause()
    this.defer()
  }

  /** The owner's word that a frame may have cost far more than a hot one. */
  setHeavy(): void {
    this.share.heavy = true
  }

  /** While a frame is handed on: whether its bytes stay valid afterwards. They are not written to any more. */
  keepFrame(): boolean {
    return this.parser.keepFrame()
  }

  /** Returns how many bytes were taken. */
  private parse(bytes: Buffer): number {
    let taken: number
    try {
      taken = this.parser.push(bytes, this.onFrame)
    } catch (error) {
      this.parts.owner.broken(this, error as Error)
      return bytes.length
    }
    if (!this.open) return taken
    if (taken < bytes.length) {
      // The reader's buffer is reused; what waited before is ours, and is copied when it keeps much more than is left.
      const left = bytes.subarray(taken)
      this.keep(
        bytes === this.rest && left.length * 2 >= left.buffer.byteLength ? left : Buffer.from(left),
        this.share.begunMs,
      )
      this.pause()
      if (!this.isBlocked) this.defer()
    } else {
      this.keep(undefined)
      if (this.isBlocked) this.pause()
    }
    return taken
  }

  private readonly onFrame = (bytes: Buffer, start: number, end: number): boolean => {
    if (end - start >= heavyFrameBytes) this.setHeavy()
    this.parts.owner.frame(this, bytes, start, end)
    return this.open && !this.isBlocked && this.share.allows(this.asked, this.sliced.length)
  }

  /** Bytes of answers that stand here, or are being read for it. */
  private get asked(): number {
    return this.out.at + this.slicedBytes + this.account.reading
  }

  /** When the bytes came of which frames are handed on now, and since when they are worked on; monotonic. */
  get cameMs(): number {
    return this.rest === undefined ? this.share.begunMs : this.restSinceMs
  }

  /** When bytes came last, from anybody. */
  get seenMs(): number {
    return this.parts.later?.seenMs ?? Number.POSITIVE_INFINITY
  }

  get handlingSinceMs(): number {
    return this.share.begunMs
  }

  /** `cameMs`: when its bytes came, where nothing stood here before. */
  private keep(rest: Buffer | undefined, cameMs = 0): void {
    if (this.rest === undefined) this.restSinceMs = cameMs
    this.rest = rest
    const bytes = this.parser.heldBytes + (rest?.length ?? 0)
    const before = this.account.unread
    if (bytes === before) return
    this.account.setUnread(bytes)
    if (bytes > before) this.parts.owner.carrying(this)
  }

  /** It has asked for as much as it may before it takes some of it. */
  get isBlocked(): boolean {
    const { account, parts } = this
    return this.asked + account.unsent >= this.pauseAtBytes || account.running >= parts.limits.maxRunningRequests
  }

  /** Its own bound, or less where so many connections share the bound of all. */
  private get pauseAtBytes(): number {
    return Math.min(this.parts.limits.pauseAtUnsentBytes, this.parts.accounts.shareBytes)
  }

  private pause(): void {
    if (this.paused) return
    this.paused = true
    this.parts.socket.pause()
  }

  /** It may ask again when half of what stopped it is gone. Called wherever its account shrinks. */
  relax(): void {
    if (!this.paused || this.deferred || !this.open) return
    const { account, parts } = this
    if (account.owed * 2 > this.pauseAtBytes || account.running * 2 > parts.limits.maxRunningRequests) return
    this.defer()
  }

  private defer(): void {
    if (this.deferred) return
    this.deferred = true
    if (this.parts.later === undefined) this.proceed()
    else this.parts.later.add(this)
  }

  proceed(): void {
    this.deferred = false
    if (!this.open) return
    if (this.rest !== undefined) this.handle(this.rest)
    if (!this.open || this.rest !== undefined || this.isBlocked || !this.paused) return
    this.paused = false
    this.parts.socket.resume()
  }

  /** The writer for the next frame head; call `wrote()` when it is complete. */
  writer(): ByteWriter {
    return this.out
  }

  /** A frame head was written; its body follows as slices, which stay pinned until `release` runs. */
  wrote(body?: readonly Uint8Array[], release?: () => void): void {
    if (!this.open) {
      release?.()
      return
    }
    const before = this.sliced.length
    if (body !== undefined) this.addBody(body)
    if (release !== undefined) {
      // What is small was copied.
      if (this.sliced.length === before) release()
      else this.releases.push(release)
    }
    if (!this.queued) {
      this.queued = true
      this.parts.sends.add(this)
    }
  }

  private addBody(body: readonly Uint8Array[]): void {
    for (const slice of body) {
      if (slice.length < 1024) {
        this.out.raw(slice)
        continue
      }
      this.sealPart()
      this.sliced.push(slice)
      this.slicedBytes += slice.length
    }
  }

  /** What was written since the last cut becomes a part of its own. */
  private sealPart(): void {
    if (this.out.at > this.cut) this.sliced.push(this.out.bytes.subarray(this.cut, this.out.at))
    this.cut = this.out.at
  }

  /** Throws RangeError for what no frame can say. */
  send(command: Command): void {
    this.sendFrame(encodeFrame(command))
  }

  private sendFrame(frame: Buffer): void {
    if (frame.length < 4096) {
      this.out.raw(frame)
      this.wrote()
    } else this.wrote([frame])
  }

  call(command: OutgoingCommand, timeoutMs = 3000, signal?: AbortSignal): Promise<Command> {
    if (!this.open) return Promise.reject(new NetError('ECLOSED', `the connection to ${this.peer} is closed`))
    if (signal?.aborted) return Promise.reject(signal.reason)
    const opaque = this.calls.nextOpaque()
    let frame: Buffer
    try {
      // Before anybody waits: what cannot be written is told to whoever asks for it.
      frame = encodeFrame(this.outgoing(command, opaque, 0))
    } catch (error) {
      return Promise.reject(error)
    }
    const reply = this.calls.wait(opaque, timeoutMs, signal)
    this.sendFrame(frame)
    return reply
  }

  tell(command: OutgoingCommand): void {
    try {
      this.tellOrThrow(command)
    } catch (error) {
      // Told out of timers and tables, where nobody could do anything about it.
      this.parts.owner.unwritable(this, command.code, error)
    }
  }

  /** The same for whoever can do something about it. Throws RangeError for what no frame can say. */
  tellOrThrow(command: OutgoingCommand): void {
    if (this.open) this.send(this.outgoing(command, this.calls.nextOpaque(), onewayFlag))
  }

  private outgoing(command: OutgoingCommand, opaque: number, flag: number): Command {
    return {
      code: command.code,
      language: this.parts.language,
      version: this.parts.version,
      opaque,
      flag,
      remark: command.remark,
      extFields: command.extFields ?? {},
      body: command.body,
      form: HeaderForm.json,
    }
  }

  /** A reply came; false when nobody waits for it. */
  settle(reply: Command): boolean {
    return this.calls.settle(reply)
  }

  flush(): void {
    this.queued = false
    if (!this.open) return
    const { account, outbox, parts } = this
    if (this.out.at > 0 || this.sliced.length > 0) {
      const bytes = this.out.at + this.slicedBytes
      this.sealPart()
      this.active = true
      const { sliced, releases } = this
      this.sliced = []
      this.releases = []
      outbox.add(sliced, releases, bytes)
    }
    this.slicedBytes = 0
    this.cut = 0
    const unsent = outbox.unsentBytes
    if (unsent === 0) {
      if (this.out.bytes.length > keepBytes) this.out = new ByteWriter(2048)
      this.out.at = 0
      // Mostly it was, and nothing is owed.
      if (account.unsent > 0) account.setUnsent(0)
      this.relax()
      return
    }
    // The kernel still reads from our buffer: go on in a new one.
    this.out = new ByteWriter(2048)
    account.setUnsent(unsent)
    if (unsent > parts.limits.closeAtUnsentBytes) {
      this.close()
      return
    }
    parts.owner.owing(this)
    if (this.open && this.isBlocked) this.pause()
  }

  private drained(): void {
    this.active = true
    this.outbox.drained()
    this.account.setUnsent(this.outbox.unsentBytes)
    this.relax()
  }

  /** It did not take its answers for a while: they give up what they pin of the store's memory. */
  copyOut(most: number): number {
    return this.outbox.copyOut(most)
  }

  /** A frame that never ends is told by a sweep: it was the same one at the last. Time in which we do not read does not count. */
  closeIfIncomplete(nowMs: number): boolean {
    const { frames } = this.parser
    if (this.parser.retainedBytes === 0 || this.paused || frames !== this.sweptFrames) {
      this.sweptFrames = frames
      this.incompleteSinceMs = nowMs
      return false
    }
    if (nowMs - this.incompleteSinceMs < this.parts.limits.maxFrameMs) return false
    this.close()
    return true
  }

  /** Closes a connection on which nothing came or went for `idleMs` (limits); told the time by a sweep of its owner. */
  closeIfIdle(nowMs: number): void {
    if (this.active) {
      this.active = false
      this.idleSinceMs = nowMs
    } else if (!this.parts.clock.leaps && nowMs - this.idleSinceMs >= this.parts.limits.idleMs) this.close()
  }

  onClose(run: () => void): void {
    if (!this.open) {
      run()
      return
    }
    this.closeListeners ??= []
    this.closeListeners.push(run)
  }

  close(): void {
    this.parts.socket.destroy()
    this.gone()
  }

  /** Sends what is queued first. Returns whether the kernel has taken all of it. */
  end(): boolean {
    this.flush()
    this.outbox.writeAll()
    const isTaken = this.outbox.unsentBytes === 0
    this.parts.socket.end()
    return isTaken
  }

  private gone(error?: Error): void {
    if (!this.open) return
    this.open = false
    this.outbox.clear()
    for (const release of this.releases.splice(0)) release()
    this.sliced = []
    this.slicedBytes = 0
    this.rest = undefined
    this.parser.end()
    this.account.close()
    this.calls.failAll(() => {
      // With TLS 1.3 a server refuses a client's certificate after the client believes itself connected.
      if (error instanceof NetError && error.code === tlsErrorCode) return error
      return new NetError('ECLOSED', `the connection to ${this.peer} was closed`, error)
    })
    const listeners = this.closeListeners ?? []
    this.closeListeners = undefined
    this.parts.owner.closed(this)
    for (const run of listeners) run()
  }
}
