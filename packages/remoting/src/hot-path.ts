import {
  type Command,
  decodeFrame,
  type FieldIndex,
  HeaderError,
  HeaderScan,
  type HotRequest,
  isOneway,
  isResponse,
  type RequestHead,
  ResponseCode,
  responseFlag,
  ScanOutcome,
  scanFrame,
} from '@skua-mq/protocol'
import type { Events } from '@skua-mq/runtime'
import type { Channel } from './channel.ts'
import { handlerFailed } from './events.ts'
import type { Admission, FullGate } from './gate.ts'
import type { AnyHotRoute } from './hot-route.ts'
import type { Identity } from './identity.ts'
import { type ReplyToken, ReplyTokens } from './token.ts'
import type { Watch } from './watch.ts'

/** One request with the view that is reused for all of its frames. */
interface Entry {
  readonly request: HotRequest<RequestHead>
  readonly view: RequestHead
  readonly handle: (view: RequestHead, token: ReplyToken) => void
}

/**
 * Sorts frames: hot requests are scanned in place and handed to their handlers; all else is decoded and goes the
 * generic way. The scanner leaves what is unusual to the table, and both fill the same view.
 */
export class HotPath {
  private readonly entries = new Map<number, Entry>()
  private readonly fields = new Map<number, FieldIndex>()
  private readonly events: Events
  private readonly admission: Admission
  private readonly tokens: ReplyTokens
  private readonly scan = new HeaderScan()

  constructor(
    routes: readonly AnyHotRoute[],
    {
      identity,
      events,
      admission,
      watch,
    }: { identity: Identity; events: Events; admission: Admission; watch?: Watch | undefined },
  ) {
    this.events = events
    this.admission = admission
    this.tokens = new ReplyTokens(identity, watch)
    for (const { request, handle } of routes) {
      const entry = { request, view: new request.view(), handle }
      for (const [code, fields] of request.fields) {
        if (this.entries.has(code)) throw new Error(`request ${code} has two hot routes`)
        this.entries.set(code, entry)
        this.fields.set(code, fields)
      }
    }
  }

  private readonly fieldsOf = (code: number): FieldIndex | undefined => this.fields.get(code)

  /** Returns undefined when the frame was served, else the decoded command for the generic way. */
  frame(channel: Channel, bytes: Buffer, bounds: { start: number; end: number }): Command | undefined {
    const { scan } = this
    const outcome = scanFrame(bytes, bounds, this.fieldsOf, scan)
    if (outcome === ScanOutcome.hot && (scan.flag & responseFlag) === 0) {
      this.scanned(channel, this.entries.get(scan.code) as Entry, bytes[bounds.start + 4] === 1 ? 1 : 0)
      return undefined
    }
    const command = decodeFrame(bytes, bounds.start, bounds.end)
    return !isResponse(command) && this.serve(channel, command) ? undefined : command
  }

  /** The same behind a gate that looks at scanned requests; false where it has to be decoded. */
  frameLetIn(channel: Channel, bytes: Buffer, at: { bounds: { start: number; end: number }; gate: FullGate }): boolean {
    const { scan } = this
    const { bounds, gate } = at
    if (scanFrame(bytes, bounds, this.fieldsOf, scan) !== ScanOutcome.hot || (scan.flag & responseFlag) !== 0)
      return false
    if (gate.lets?.(scan, channel) !== true) return false
    this.scanned(channel, this.entries.get(scan.code) as Entry, bytes[bounds.start + 4] === 1 ? 1 : 0)
    return true
  }

  /** False where the request is none of the hot ones. */
  serve(channel: Channel, command: Command): boolean {
    const entry = this.entries.get(command.code)
    if (entry === undefined) return false
    this.decoded(channel, entry, command)
    return true
  }

  private scanned(channel: Channel, entry: Entry, form: 0 | 1): void {
    const { request, view } = entry
    try {
      request.fill(view, this.scan, form)
    } catch (error) {
      this.refuse(channel, view, error)
      return
    }
    this.run(channel, entry)
  }

  private decoded(channel: Channel, entry: Entry, command: Command): void {
    const { request, view } = entry
    try {
      request.fillFromCommand(view, command)
    } catch (error) {
      const { code, opaque, version, form } = command
      Object.assign(view, { code, opaque, oneway: isOneway(command), version, form })
      this.refuse(channel, view, error)
      return
    }
    this.run(channel, entry)
  }

  /** A handler that throws costs its own request, never the connection: others' requests are on it too. */
  private run(channel: Channel, { view, handle }: Entry): void {
    const refusal = this.admission.admit(view, channel)
    const token = this.tokens.take(channel, view)
    if (refusal !== undefined) {
      token.answer(refusal.code, undefined, refusal)
      return
    }
    try {
      handle(view, token)
    } catch (error) {
      this.events.emit(handlerFailed({ code: view.code, peer: channel.peer, error }))
      if (token.waiting) token.answer(ResponseCode.systemError, undefined, { remark: String((error as Error).message) })
    }
  }

  private refuse(channel: Channel, view: RequestHead, error: unknown): void {
    if (!(error instanceof HeaderError)) throw error
    this.tokens.take(channel, view).answer(ResponseCode.systemError, undefined, { remark: error.message })
  }
}
