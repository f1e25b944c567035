import {
  type HeaderForm,
  type ReplyHeader,
  type ReplyParts,
  type RequestHead,
  type ResponseCode,
  writeReplyHead,
} from '@skua-mq/protocol'
import type { Channel } from './channel.ts'
import type { Identity } from './identity.ts'
import { type WaitKind, Waits } from './waits.ts'
import { resultOf, type Watch, type Watched } from './watch.ts'

/**
 * The right to answer one hot request, once: now, at the end of the turn, or after a held pull. Pooled: whoever has
 * answered must forget it. A closed connection swallows the answer.
 */
export class ReplyToken implements RequestHead, Watched {
  code = 0
  opaque = 0
  oneway = false
  version = 0
  form: 0 | 1 = 0
  private channel: Channel | undefined
  /** Belongs to a pull that is held. */
  private resting = false
  /** It was held; and when it came, monotonic. For whoever watches, else 0. */
  wasHeld = false
  beganMs = 0
  cameMs = 0
  readonly waits = new Waits()
  private restedAtMs = 0
  private readonly pool: ReplyTokens

  constructor(pool: ReplyTokens) {
    this.pool = pool
  }

  /** False once the connection is gone: the work for this answer may be left. */
  get open(): boolean {
    return this.channel?.open === true
  }

  /** True until the answer, or the decision that there is none. */
  get waiting(): boolean {
    return this.channel !== undefined
  }

  get connection(): Channel {
    if (this.channel === undefined) throw new Error('a reply token was used after its answer')
    return this.channel
  }

  take(channel: Channel, head: RequestHead): this {
    this.channel = channel
    this.resting = false
    this.wasHeld = false
    const { watch } = this.pool
    this.beganMs = watch === undefined ? 0 : watch.beginOf(channel)
    if (this.beganMs > 0) {
      this.cameMs = channel.cameMs
      this.waits.clear()
    }
    channel.account.begin()
    this.code = head.code
    this.opaque = head.opaque
    this.oneway = head.oneway
    this.version = head.version
    this.form = this.pool.form ?? head.form
    return this
  }

  /** A pull is held: nothing is done for it. */
  rest(): void {
    if (this.resting) return
    this.resting = true
    this.wasHeld = true
    this.restedAtMs = this.mark()
    this.connection.account.end()
    this.connection.relax()
  }

  /** A held pull is looked at again. */
  rise(): void {
    if (!this.resting) return
    this.resting = false
    this.waited('held', this.restedAtMs)
    this.connection.account.begin()
  }

  /** A moment to give to `waited` later; 0 where nobody watches. */
  mark(): number {
    return this.beganMs > 0 ? (this.pool.watch as Watch).now() : 0
  }

  /** It has waited for this since then. */
  waited(kind: WaitKind, sinceMs: number): void {
    if (sinceMs > 0 && this.beganMs > 0) this.waits[kind] += (this.pool.watch as Watch).now() - sinceMs
  }

  /** `release` runs when the slices of the body are no longer needed, also when there is nobody to send them to. */
  answer(
    code: ResponseCode,
    header?: ReplyHeader,
    rest: { remark?: string | undefined; body?: readonly Uint8Array[]; release?: () => void } = nothing,
  ): void {
    const channel = this.connection
    if (channel.open && !this.oneway) {
      const parts = this.pool.parts
      parts.code = code
      parts.header = header
      parts.remark = rest.remark
      parts.bodyBytes = 0
      if (rest.body !== undefined) for (const slice of rest.body) parts.bodyBytes += slice.length
      writeReplyHead(channel.writer(), this, parts)
      channel.wrote(rest.body, rest.release)
    } else rest.release?.()
    if (this.beganMs > 0) this.told(channel, code)
    this.over()
  }

  private told(peer: Channel, code: ResponseCode): void {
    // One that ends while it is held was held until now.
    if (this.resting) this.waited('held', this.restedAtMs)
    this.pool.watch?.answered(this, code, { peer, result: resultOf(this.oneway, peer.open) })
  }

  /** Nothing is answered, as the protocol wants it for a few requests. */
  drop(): void {
    this.over()
  }

  private over(): void {
    const { connection } = this
    if (!this.resting) connection.account.end()
    this.channel = undefined
    this.pool.give(this)
    connection.relax()
  }
}

const nothing = {}

/** How many idle tokens are kept. */
const maxPooledTokens = 4096

export class ReplyTokens {
  readonly parts: ReplyParts
  readonly watch: Watch | undefined
  /** Of all replies; undefined: that of the request. */
  readonly form: HeaderForm | undefined
  private readonly free: ReplyToken[] = []

  constructor({ version, replyForm }: Pick<Identity, 'version' | 'replyForm'>, watch?: Watch) {
    this.watch = watch
    this.form = replyForm
    this.parts = { code: 0, header: undefined, remark: undefined, bodyBytes: 0, version }
  }

  take(channel: Channel, head: RequestHead): ReplyToken {
    return (this.free.pop() ?? new ReplyToken(this)).take(channel, head)
  }

  give(token: ReplyToken): void {
    if (this.free.length < maxPooledTokens) this.free.push(token)
  }
}
