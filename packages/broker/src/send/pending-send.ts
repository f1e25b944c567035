import { ResponseCode } from '@skua-mq/protocol'
import type { ReplyToken } from '@skua-mq/remoting'
import { type AppendWaiter, PutResult, type PutStatus } from '@skua-mq/store'
import type { MessageKind } from './message-kind.ts'
import { ReplyId } from './reply-id.ts'
import type { SendRefusal, SendReply } from './send-reply.ts'

/** store.md 6: what a put status is on the wire. */
export const codeOfPut: Readonly<Record<PutStatus, ResponseCode>> = {
  ok: ResponseCode.success,
  flushDiskTimeout: ResponseCode.flushDiskTimeout,
  flushSlaveTimeout: ResponseCode.flushSlaveTimeout,
  slaveNotAvailable: ResponseCode.slaveNotAvailable,
  messageIllegal: ResponseCode.messageIllegal,
  propertiesSizeExceeded: ResponseCode.messageIllegal,
  serviceNotAvailable: ResponseCode.serviceNotAvailable,
  busy: ResponseCode.systemBusy,
  failed: ResponseCode.systemError,
}

/** A message that the store was given. */
export interface Sent {
  /** As sent, also where the message is kept elsewhere for a while. */
  readonly topic: string
  /** Where it is kept. */
  readonly storedTopic: string
  readonly kind: MessageKind
}

/** How many idle waiters are kept. */
const maxPooled = 4096

/** Sends that wait for the end of their turn, a sync or a slave. Pooled: no object per message. */
export class PendingSends {
  readonly reply: SendReply
  readonly refusal: SendRefusal
  /** Told of every outcome, for statistics. */
  readonly counted: (sent: Sent, result: PutResult) => void
  private readonly free: PendingSend[] = []

  constructor(reply: SendReply, refusal: SendRefusal, counted: (sent: Sent, result: PutResult) => void) {
    this.counted = counted
    this.reply = reply
    this.refusal = refusal
  }

  /** `after`: what must have happened before the sender hears of its message; hardly ever there. */
  take(token: ReplyToken, queueId: number, after?: Promise<void>): PendingSend {
    return (this.free.pop() ?? new PendingSend(this)).take(token, queueId, after)
  }

  give(send: PendingSend): void {
    if (this.free.length < maxPooled) this.free.push(send)
  }
}

/** What the store says of the time that a message took. */
function noteWaits({ waits }: ReplyToken, { writeMs, syncMs, slaveMs }: PutResult): void {
  waits.write = writeMs
  waits.flush = syncMs
  waits.slave = slaveMs
}

class PendingSend implements AppendWaiter, Sent {
  private token: ReplyToken | undefined
  topic = ''
  storedTopic = ''
  kind: MessageKind = 0
  /** Empty but for a message with a time of delivery. */
  recallHandle = ''
  /** Empty where the dialect tells none. */
  readonly transactionId = new ReplyId()
  private queueId = 0
  private after: Promise<void> | undefined
  private readonly pool: PendingSends

  constructor(pool: PendingSends) {
    this.pool = pool
  }

  take(token: ReplyToken, queueId: number, after: Promise<void> | undefined): this {
    this.token = token
    this.after = after
    this.queueId = queueId
    return this
  }

  stored(result: PutResult): void {
    if (this.after === undefined) {
      this.settle(result)
      return
    }
    const kept = Object.assign(new PutResult(), result)
    // Stored it is, also where the name servers or topics.json could not be told of a new topic.
    const token = this.token as ReplyToken
    const since = token.mark()
    const settle = () => {
      token.waited('announce', since)
      this.settle(kept)
    }
    this.after.then(settle, settle)
    this.after = undefined
  }

  private settle(result: PutResult): void {
    const token = this.token as ReplyToken
    this.token = undefined
    const code = codeOfPut[result.status]
    this.pool.counted(this, result)
    noteWaits(token, result)
    if (result.isStored) {
      const { reply } = this.pool
      reply.queueId = this.queueId
      reply.queueOffset = result.queueOffset
      reply.physicalOffset = result.physicalOffset
      reply.batchOffsets = result.batchOffsets
      reply.recallHandle = this.recallHandle
      reply.transactionId = this.transactionId
      if (code === ResponseCode.success) token.answer(code, reply)
      else token.answer(code, reply, { remark: result.remark === '' ? result.status : result.remark })
    } else token.answer(code, this.pool.refusal, { remark: result.remark })
    this.pool.give(this)
  }
}
