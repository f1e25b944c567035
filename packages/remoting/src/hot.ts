import {
  type Command,
  decodeFrame,
  type FieldIndex,
  fillPull,
  fillPullFromCommand,
  fillSend,
  fillSendFromCommand,
  HeaderError,
  HeaderScan,
  isResponse,
  PullView,
  pullFields,
  ResponseCode,
  responseFlag,
  ScanOutcome,
  SendView,
  scanFrame,
  sendFields,
} from '@skua-mq/protocol'
import type { Events } from '@skua-mq/runtime'
import type { Channel } from './channel.ts'
import { handlerFailed } from './events.ts'
import { type ReplyToken, ReplyTokens } from './token.ts'

/** The handlers of the hot requests: synchronous functions of a view and a token (style: a handler returns its answer). */
export interface HotHandlers {
  /** 10, 310, 320. */
  send(view: SendView, token: ReplyToken): void
  /** 11, 361. */
  pull(view: PullView, token: ReplyToken): void
}

function hotFields(code: number): FieldIndex | undefined {
  return sendFields(code) ?? pullFields(code)
}

const isPull = (code: number): boolean => code === 11 || code === 361

/**
 * Sorts frames: hot requests are scanned in place and handed to their handlers; all else is decoded and goes the
 * generic way. The scanner leaves what is unusual to the table, and both fill the same view.
 */
export class HotPath {
  private readonly handlers: HotHandlers
  private readonly events: Events
  private readonly tokens: ReplyTokens
  private readonly scan = new HeaderScan()
  private readonly sendView = new SendView()
  private readonly pullView = new PullView()

  constructor(handlers: HotHandlers, { version, events }: { version: number; events: Events }) {
    this.handlers = handlers
    this.events = events
    this.tokens = new ReplyTokens(version)
  }

  /** Answers undefined when the frame was served, else the decoded command for the generic way. */
  frame(channel: Channel, bytes: Buffer, bounds: { start: number; end: number }): Command | undefined {
    const { scan } = this
    const outcome = scanFrame(bytes, bounds, hotFields, scan)
    if (outcome === ScanOutcome.hot && (scan.flag & responseFlag) === 0) {
      const form = bytes[bounds.start + 4] === 1 ? 1 : 0
      if (isPull(scan.code)) this.scannedPull(channel, form)
      else this.scannedSend(channel, form)
      return undefined
    }
    const command = decodeFrame(bytes, bounds.start, bounds.end)
    if (isResponse(command) || hotFields(command.code) === undefined) return command
    this.decoded(channel, command)
    return undefined
  }

  private scannedSend(channel: Channel, form: 0 | 1): void {
    const view = this.sendView
    try {
      fillSend(view, this.scan, form)
    } catch (error) {
      this.refuse(channel, view, error)
      return
    }
    this.run(channel, view)
  }

  private scannedPull(channel: Channel, form: 0 | 1): void {
    const view = this.pullView
    try {
      fillPull(view, this.scan, form)
    } catch (error) {
      this.refuse(channel, view, error)
      return
    }
    this.run(channel, view)
  }

  /** A handler that throws costs its own request, never the connection: others' requests are on it too. */
  private run(channel: Channel, view: SendView | PullView): void {
    const token = this.tokens.take(channel, view)
    try {
      if (view === this.sendView) this.handlers.send(view as SendView, token)
      else this.handlers.pull(view as PullView, token)
    } catch (error) {
      this.events.emit(handlerFailed({ code: view.code, peer: channel.peer, error }))
      if (token.waiting) token.answer(ResponseCode.systemError, undefined, { remark: String((error as Error).message) })
    }
  }

  private decoded(channel: Channel, command: Command): void {
    const pull = isPull(command.code)
    const view = pull ? this.pullView : this.sendView
    try {
      if (pull) fillPullFromCommand(this.pullView, command)
      else fillSendFromCommand(this.sendView, command)
    } catch (error) {
      Object.assign(view, {
        code: command.code,
        opaque: command.opaque,
        oneway: (command.flag & 2) !== 0,
        version: command.version,
        form: command.form,
      })
      this.refuse(channel, view, error)
      return
    }
    this.run(channel, view)
  }

  private refuse(channel: Channel, view: SendView | PullView, error: unknown): void {
    if (!(error instanceof HeaderError)) throw error
    this.tokens.take(channel, view).answer(ResponseCode.systemError, undefined, { remark: error.message })
  }
}
