import {
  ByteWriter,
  type Command,
  encodeFrame,
  FrameParser,
  HeaderForm,
  onewayFlag,
  skuaVersion,
} from '@skua-mq/protocol'
import { type Address, type Clock, NetError, type Socket, tlsErrorCode } from '@skua-mq/runtime'
import type { Connection, OutgoingCommand } from './connection.ts'
import type { RemotingLimits } from './limits.ts'
import { PendingCalls } from './pending-calls.ts'
import type { SendQueue } from './send-queue.ts'

/** What a channel tells its owner. */
export interface ChannelOwner {
  /** A whole frame, in place: valid until this returns. */
  frame(channel: Channel, bytes: Buffer, start: number, end: number): void
  /** The bytes are no frames; the channel is closed by the owner. */
  broken(channel: Channel, error: Error): void
  /** How many bytes of an incomplete frame the channel holds now. */
  carrying(channel: Channel, bytes: number): void
  closed(channel: Channel): void
}

export interface ChannelParts {
  readonly socket: Socket
  readonly owner: ChannelOwner
  readonly sends: SendQueue
  readonly clock: Clock
  readonly limits: RemotingLimits
  /** Language number and version that requests of ours carry. */
  readonly language: number
  readonly version: number
}

let lastId = 0

/** How often owners look for idle connections. */
export const idleSweepMs = 5000

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
  private carried = 0
  private readonly parts: ChannelParts
  private readonly parser: FrameParser
  private readonly calls: PendingCalls
  private out = new ByteWriter(2048)
  /** Where in `out` the part begins that is not in `sliced` yet. */
  private cut = 0
  private sliced: Uint8Array[] = []
  private releases: (() => void)[] = []
  private queued = false
  private paused = false
  private closeListeners: (() => void)[] | undefined

  constructor(parts: ChannelParts) {
    this.parts = parts
    this.idleSinceMs = parts.clock.monotonic()
    this.remote = parts.socket.remote
    this.local = parts.socket.local
    this.parser = new FrameParser({ maxFrameBytes: parts.limits.maxFrameBytes })
    this.calls = new PendingCalls(parts.clock, parts.limits.maxPendingCalls)
  }

  /** Language and version of this side. */
  get identity(): { readonly language: number; readonly version: number } {
    return this.parts
  }

  get peer(): string {
    return `${this.remote.host}:${this.remote.port}`
  }

  start(): void {
    const onFrame = (bytes: Buffer, start: number, end: number) => {
      if (this.open) this.parts.owner.frame(this, bytes, start, end)
    }
    this.parts.socket.start({
      data: chunk => {
        this.active = true
        if (this.firstByte < 0) this.firstByte = chunk[0] ?? -1
        try {
          this.parser.push(chunk, onFrame)
        } catch (error) {
          this.parts.owner.broken(this, error as Error)
          return
        }
        const carried = this.parser.retainedBytes
        if (carried !== this.carried) {
          this.carried = carried
          this.parts.owner.carrying(this, carried)
        }
      },
      drained: () => this.drained(),
      closed: error => this.gone(error),
    })
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
    if (body !== undefined) this.addBody(body)
    if (release !== undefined) this.releases.push(release)
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
    }
  }

  /** What was written since the last cut becomes a part of its own. */
  private sealPart(): void {
    if (this.out.at > this.cut) this.sliced.push(this.out.bytes.subarray(this.cut, this.out.at))
    this.cut = this.out.at
  }

  send(command: Command): void {
    const frame = encodeFrame(command)
    if (frame.length < 4096) {
      this.out.raw(frame)
      this.wrote()
    } else this.wrote([frame])
  }

  call(command: OutgoingCommand, timeoutMs = 3000, signal?: AbortSignal): Promise<Command> {
    if (!this.open) return Promise.reject(new NetError('ECLOSED', `the connection to ${this.peer} is closed`))
    if (signal?.aborted) return Promise.reject(signal.reason)
    const opaque = this.calls.nextOpaque()
    const reply = this.calls.wait(opaque, timeoutMs, signal)
    this.send(this.outgoing(command, opaque, 0))
    return reply
  }

  tell(command: OutgoingCommand): void {
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
    this.sealPart()
    const { socket, limits } = this.parts
    const parts = this.sliced
    if (parts.length > 0) {
      this.sliced = []
      this.active = true
      socket.write(parts)
    }
    const unsent = socket.unsentBytes
    if (unsent === 0) {
      this.release()
      if (this.out.bytes.length > keepBytes) this.out = new ByteWriter(2048)
      this.out.at = 0
    } else {
      // The kernel still reads from our buffer: go on in a new one.
      this.out = new ByteWriter(2048)
      if (unsent > limits.closeAtUnsentBytes) {
        this.close()
        return
      }
      if (unsent > limits.pauseAtUnsentBytes && !this.paused) {
        this.paused = true
        socket.pause()
      }
    }
    this.cut = 0
  }

  private drained(): void {
    this.active = true
    this.release()
    if (this.paused) {
      this.paused = false
      this.parts.socket.resume()
    }
  }

  private release(): void {
    if (this.releases.length === 0) return
    const releases = this.releases
    this.releases = []
    for (const release of releases) release()
  }

  /** Closes a connection on which nothing came or went for `idleMs` (limits); told the time by a sweep of its owner. */
  closeIfIdle(nowMs: number): void {
    if (this.active) {
      this.active = false
      this.idleSinceMs = nowMs
    } else if (nowMs - this.idleSinceMs >= this.parts.limits.idleMs) this.close()
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

  /** Sends what is queued first. */
  end(): void {
    this.flush()
    this.parts.socket.end()
  }

  private gone(error?: Error): void {
    if (!this.open) return
    this.open = false
    this.release()
    this.sliced = []
    // With TLS 1.3 a server refuses a client's certificate after the client believes itself connected.
    const refused = error instanceof NetError && error.code === tlsErrorCode
    this.calls.failAll(refused ? error : new NetError('ECLOSED', `the connection to ${this.peer} was closed`, error))
    const listeners = this.closeListeners ?? []
    this.closeListeners = undefined
    this.parts.owner.closed(this)
    for (const run of listeners) run()
  }
}

/** Language and version of our servers: as Java's 4.9.8 (dialect: one personality). */
export const serverIdentity = { language: 0, version: skuaVersion }
