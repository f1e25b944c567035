import { ClientError } from '../error.ts'
import type { Message } from '../message/message.ts'
import type { SendResult } from './result.ts'

/** What `Producer.buffer` takes. */
export interface BufferOptions {
  /** How long a message waits for others, ms. Default 5. */
  readonly lingerMs?: number | undefined
  /** A batch goes out when its bodies have so many bytes. Default 262144. */
  readonly maxBytes?: number | undefined
  /** Or so many messages. Default 1000. */
  readonly maxMessages?: number | undefined
}

interface Waiting<T> {
  readonly message: Message<T>
  readonly resolve: (result: SendResult) => void
  readonly reject: (error: unknown) => void
}

interface Batch<T> {
  readonly waiting: Waiting<T>[]
  bytes: number
  timer: { cancel(): void } | undefined
}

export interface BufferParts<T> {
  readonly options: Required<{ readonly [K in keyof BufferOptions]: number }>
  readonly after: (ms: number, run: () => void) => { cancel(): void }
  readonly send: (message: Message<T>) => Promise<SendResult>
  readonly sendBatch: (messages: readonly Message<T>[]) => Promise<SendResult[]>
}

/** Messages that are sent together, as long as each waits for a moment: for whoever sends many, and can wait that long for each. */
export class SendBuffer<T> {
  private readonly parts: BufferParts<T>
  private readonly batches = new Map<string, Batch<T>>()
  private readonly sending = new Set<Promise<void>>()
  private isClosed = false

  constructor(parts: BufferParts<T>) {
    this.parts = parts
  }

  /**
   * Resolves when the broker has the message, with its own id and offset. Messages of one topic keep their order within a batch; a delayed one goes
   * alone. A batch is refused or stored as a whole.
   */
  send(message: Message<T>): Promise<SendResult> {
    if (this.isClosed) return Promise.reject(new ClientError('STATE', 'this buffer is closed'))
    if (message.delayLevel !== undefined || message.delayMs !== undefined || message.deliverAtMs !== undefined) {
      return this.parts.send(message)
    }
    return new Promise((resolve, reject) => {
      const { options, after } = this.parts
      const key = `${message.topic} ${message.waitStoreMsgOk ?? true}`
      const batch = this.batches.get(key) ?? { waiting: [], bytes: 0, timer: undefined }
      this.batches.set(key, batch)
      batch.waiting.push({ message, resolve, reject })
      batch.bytes += roughBytes(message.body)
      batch.timer ??= after(options.lingerMs, () => this.leave(key))
      if (batch.bytes >= options.maxBytes || batch.waiting.length >= options.maxMessages) this.leave(key)
    })
  }

  /** Sends what waits. Resolves when all of it is stored or refused; who sent it is told. */
  async flush(): Promise<void> {
    for (const key of [...this.batches.keys()]) this.leave(key)
    await Promise.all(this.sending)
  }

  /** Takes nothing more, and sends what waits. The producer stays open. */
  async close(): Promise<void> {
    this.isClosed = true
    await this.flush()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private leave(key: string): void {
    const batch = this.batches.get(key)
    if (batch === undefined) return
    this.batches.delete(key)
    batch.timer?.cancel()
    const work = this.deliver(batch.waiting).finally(() => this.sending.delete(work))
    this.sending.add(work)
  }

  private async deliver(waiting: readonly Waiting<T>[]): Promise<void> {
    try {
      const [only] = waiting
      if (waiting.length === 1 && only !== undefined) {
        only.resolve(await this.parts.send(only.message))
        return
      }
      const single = (await this.parts.sendBatch(waiting.map(({ message }) => message))).flatMap(singles)
      for (const [index, { resolve, reject }] of waiting.entries()) {
        const result = single[index]
        if (result === undefined)
          reject(new ClientError('BROKER', 'the broker did not say what became of this message'))
        else resolve(result)
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}

/** The result of a batch as those of its messages: ids are joined, offsets follow each other. */
function singles(result: SendResult): SendResult[] {
  const places = result.offsetMsgId.split(',')
  return result.msgId.split(',').map((msgId, index) => ({
    ...result,
    msgId,
    offsetMsgId: places[index] ?? result.offsetMsgId,
    queueOffset: result.queueOffset + index,
    transactionId: msgId,
  }))
}

/** Of what a codec is to write nothing is known yet. */
const roughBytes = (body: unknown): number =>
  typeof body === 'string' || body instanceof Uint8Array ? body.length : 256
