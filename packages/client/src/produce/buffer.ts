import { ClientError } from '../error.ts'
import type { Message } from '../message/message.ts'
import { checkMessage } from '../message/outgoing.ts'
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
  /** What became of each, in their order. */
  readonly sendTogether: (messages: readonly Message<T>[]) => Promise<PromiseSettledResult<SendResult>[]>
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
   * alone. Errors: as `Producer.send`, of this message or of its batch; what another message is refused for does not matter.
   */
  send(message: Message<T>): Promise<SendResult> {
    if (this.isClosed) return Promise.reject(new ClientError('STATE', 'this buffer is closed'))
    try {
      checkMessage(message)
    } catch (error) {
      return Promise.reject(error)
    }
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
      const told = await this.parts.sendTogether(waiting.map(({ message }) => message))
      for (const [index, { resolve, reject }] of waiting.entries()) {
        const one = told[index]!
        if (one.status === 'fulfilled') resolve(one.value)
        else reject(one.reason)
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}

/** Of what a codec is to write nothing is known yet. */
function roughBytes(body: unknown): number {
  if (typeof body === 'string') return Buffer.byteLength(body)
  return body instanceof Uint8Array ? body.length : 256
}
