import {
  type Command,
  decodeFrame,
  encodeFrame,
  FrameParser,
  heartbeatBody,
  isOneway,
  isResponse,
  responseFlag,
} from '@skua-mq/protocol'
import type { Address, Clock, Socket, SocketHandlers } from '@skua-mq/runtime'
import type { Faults } from '../fault/faults.ts'
import type { Rule } from '../fault/rule.ts'
import { type Exchange, exchangeOf, mayBeHeld } from './exchange.ts'

/** Requests of a connection that are remembered; more than clients have open. */
const maxRemembered = 20_000

const heartbeatCode = 34
const pullCodes: ReadonlySet<number> = new Set([11, 361])

/** What a wire tells of itself. */
export interface WireParts {
  readonly faults: Faults
  readonly clock: Clock
  /** Bytes have come or gone. */
  readonly moved: () => void
  readonly closed: (wire: Wire) => void
  /** Faults pass it by: a look inside is no part of the test. */
  readonly isExempt: boolean
  /**
   * Pulls that may be held are held for so long. Clients over sockets ask for 15 s mostly: each end would be a stop in a leap,
   * and each stop a wait for what they say to it.
   */
  readonly holdMs: number | undefined
}

/** The broker's end of a connection, with the faults between the two. */
export class Wire implements Socket {
  readonly remote: Address
  readonly local: Address
  private readonly socket: Socket
  private readonly parts: WireParts
  private readonly requests = new FrameParser({ maxFrameBytes: 0x7fff_fff0 })
  private readonly answers = new FrameParser({ maxFrameBytes: 0x7fff_fff0 })
  private readonly clients: Set<string>
  private readonly asked = new Map<number, Exchange>()
  /** Opaques of requests that a fault holds. */
  private readonly kept = new Map<string, () => void>()
  private handlers: SocketHandlers | undefined
  /** Something else than frames: it passes. */
  private isOpaque = false
  private isClosed = false

  constructor(socket: Socket, parts: WireParts) {
    this.socket = socket
    this.parts = parts
    this.remote = socket.remote
    this.local = socket.local
    this.clients = new Set([`${socket.remote.host}:${socket.remote.port}`])
  }

  get unsentBytes(): number {
    return this.socket.unsentBytes
  }

  /** Requests that are neither answered nor held. */
  get running(): number {
    let count = 0
    for (const exchange of this.asked.values()) if (!mayBeHeld(exchange)) count++
    return count
  }

  start(handlers: SocketHandlers): void {
    this.handlers = handlers
    this.socket.start({
      data: chunk => this.received(chunk),
      drained: () => handlers.drained(),
      closed: error => {
        this.isClosed = true
        this.asked.clear()
        this.parts.closed(this)
        handlers.closed(error)
      },
    })
  }

  write(parts: readonly Uint8Array[]): void {
    this.parts.moved()
    if (this.isOpaque || this.parts.isExempt) {
      this.socket.write(parts)
      return
    }
    this.split(this.answers, Buffer.concat(parts), (bytes, start, end) =>
      // Copied: the parser uses its own memory again, and a socket may not have sent it by then.
      this.answer(Buffer.from(bytes.subarray(start, end))),
    )
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  private received(chunk: Buffer): void {
    this.parts.moved()
    if (this.isOpaque || this.parts.isExempt) {
      this.handlers?.data(chunk)
      return
    }
    this.split(this.requests, chunk, (bytes, start, end) => this.request(bytes.subarray(start, end)))
  }

  /** What is no frame passes as it is from there on: the broker, or the client, is the one to refuse it. */
  private split(parser: FrameParser, bytes: Buffer, each: (bytes: Buffer, start: number, end: number) => void): void {
    try {
      parser.push(bytes, each)
    } catch {
      this.isOpaque = true
      if (parser === this.requests) this.handlers?.data(bytes)
      else this.socket.write([bytes])
    }
  }

  private request(frame: Buffer): void {
    const command = decoded(frame)
    if (command === undefined || isResponse(command)) {
      this.handlers?.data(frame)
      return
    }
    if (command.code === heartbeatCode) this.learn(command)
    const exchange = exchangeOf(command, this.clients)
    const rule = this.parts.faults.isIdle ? undefined : this.parts.faults.forRequest(exchange)
    if (rule !== undefined) {
      this.stopped(rule, { exchange, command, frame })
      return
    }
    this.pass(exchange, command, frame)
  }

  private pass(exchange: Exchange, command: Command, frame: Buffer): void {
    if (!isOneway(command)) {
      this.asked.set(command.opaque, exchange)
      if (this.asked.size > maxRemembered) this.asked.delete(this.asked.keys().next().value as number)
    }
    this.handlers?.data(this.lengthened(command, frame))
  }

  private lengthened(command: Command, frame: Buffer): Buffer {
    const { holdMs } = this.parts
    if (holdMs === undefined || !pullCodes.has(command.code)) return frame
    const given = Number(command.extFields.suspendTimeoutMillis)
    if (!(given > 0 && given < holdMs)) return frame
    command.extFields.suspendTimeoutMillis = String(holdMs)
    return encodeFrame(command)
  }

  private learn({ body }: Command): void {
    try {
      if (body !== undefined) this.clients.add(heartbeatBody.decode(body).clientID ?? '')
    } catch {
      // The broker says what is wrong with it.
    }
  }

  private stopped(
    rule: Rule & { readonly onRequest: NonNullable<Rule['onRequest']> },
    { exchange, command, frame }: { exchange: Exchange; command: Command; frame: Buffer },
  ): void {
    const action = rule.onRequest
    if (action.kind === 'lose') return
    if (action.kind === 'refuse') {
      if (!isOneway(command)) this.send([encodeFrame(refusalOf(command, action))])
      return
    }
    // Whoever asks the same again has given up the former one.
    const key = `${exchange.request} ${exchange.topic} ${exchange.queueId} ${exchange.group}`
    const isFirst = !this.kept.has(key)
    const copy = Buffer.from(frame)
    this.kept.set(key, () => this.pass(exchange, command, copy))
    if (!isFirst) return
    rule.held.push(() => {
      const go = this.kept.get(key)
      this.kept.delete(key)
      if (!this.isClosed) go?.()
    })
  }

  private answer(frame: Buffer): void {
    const command = decoded(frame)
    if (command === undefined) {
      this.send([frame])
      return
    }
    const exchange = this.exchangeOf(command)
    const { faults } = this.parts
    const rule = faults.isIdle || exchange === undefined ? undefined : faults.forAnswer(exchange, command.code === 0)
    if (rule === undefined) this.send([frame])
    else this.disturbed(rule, frame)
  }

  /** Of an answer the request that it answers; of a request of the broker that one. */
  private exchangeOf(command: Command): Exchange | undefined {
    if (!isResponse(command)) return exchangeOf(command, this.clients)
    const asked = this.asked.get(command.opaque)
    this.asked.delete(command.opaque)
    return asked
  }

  private disturbed(rule: Rule & { readonly onAnswer: NonNullable<Rule['onAnswer']> }, frame: Buffer): void {
    const action = rule.onAnswer
    const go = () => this.send([frame])
    switch (action.kind) {
      case 'drop':
        return
      case 'duplicate':
        this.send([frame, frame])
        return
      case 'cut':
        this.send([frame.subarray(0, action.afterBytes)])
        // What was sent leaves before the connection ends.
        this.socket.end()
        return
      case 'hold found':
        rule.held.push(go)
        return
      case 'delay': {
        if (action.ms === undefined) {
          rule.held.push(go)
          return
        }
        let isGone = false
        const once = () => {
          if (!isGone) go()
          isGone = true
        }
        const timer = this.parts.clock.after(action.ms, once)
        rule.held.push(() => {
          timer.cancel()
          once()
        })
      }
    }
  }

  private send(parts: readonly Uint8Array[]): void {
    if (this.isClosed) return
    this.parts.moved()
    this.socket.write(parts)
  }
}

function decoded(frame: Buffer): Command | undefined {
  try {
    return decodeFrame(frame, 0, frame.length)
  } catch {
    return undefined
  }
}

const refusalOf = (command: Command, { code, remark }: { code: number; remark: string }): Command => ({
  code,
  language: command.language,
  version: command.version,
  opaque: command.opaque,
  flag: responseFlag,
  remark,
  extFields: {},
  form: command.form,
})
