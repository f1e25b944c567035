import type { ReceivedMessage } from '../message/received.ts'
import { settleBy } from '../message/settlement.ts'
import type { HandlerStatus } from './handler.ts'
import { say } from './verdicts.ts'

type Verdict = HandlerStatus | 'ABANDONED'

interface Entry<T> {
  readonly message: ReceivedMessage<T>
  settle(verdict: Verdict): void
}

/**
 * Messages for `for await`: the next turn of a loop acknowledges the message of the last one. Several loops share the
 * messages. A loop that is left by `break` or an exception gives its message back, unless it was acknowledged by `ack`.
 */
export class MessageStream<T> {
  private readonly ready: Entry<T>[] = []
  private readonly waiting: ((entry: Entry<T> | undefined) => void)[] = []
  private readonly held = new Map<ReceivedMessage<T>, Entry<T>>()
  private readonly onOpen: () => void
  private readonly onLeft: () => void
  private closed = false
  /** Somebody has begun to read it. */
  wasRead = false
  /** Loops that run. */
  readers = 0

  /** `onLeft`: a loop was left by `break` or an exception. */
  constructor(onOpen: () => void, onLeft: () => void = () => {}) {
    this.onOpen = onOpen
    this.onLeft = onLeft
  }

  /** The handler's side: resolves when a loop has dealt with the message. */
  offer(message: ReceivedMessage<T>): Promise<Verdict> {
    if (this.closed) return Promise.resolve('ABANDONED')
    return new Promise(resolve => {
      const entry = { message, settle: resolve }
      settleBy(message, {
        ack: async () => this.ack(message),
        nack: async delayMs => {
          say(message, { said: 'nack', delayMs })
          this.settle(message, 'RECONSUME_LATER')
        },
      })
      const taker = this.waiting.shift()
      if (taker === undefined) this.ready.push(entry)
      else taker(entry)
    })
  }

  /** Acknowledges a message before the loop goes on. */
  ack(message: ReceivedMessage<T>): void {
    this.settle(message, 'CONSUME_SUCCESS')
  }

  /** Loops end after the message that they hold; what no loop has taken is left for another member. */
  close(): void {
    this.closed = true
    for (const entry of this.ready.splice(0)) entry.settle('ABANDONED')
    for (const taker of this.waiting.splice(0)) taker(undefined)
  }

  iterator(signal?: AbortSignal): AsyncIterableIterator<ReceivedMessage<T>> {
    this.onOpen()
    this.wasRead = true
    this.readers++
    let isOver = false
    let current: ReceivedMessage<T> | undefined
    const done = { done: true as const, value: undefined }
    const leave = () => {
      if (!isOver) this.readers--
      isOver = true
      return done
    }
    const iterator: AsyncIterableIterator<ReceivedMessage<T>> = {
      next: async () => {
        if (current !== undefined) this.settle(current, 'CONSUME_SUCCESS')
        current = undefined
        const entry = await this.take(signal).catch((error: unknown) => {
          leave()
          throw error
        })
        if (entry === undefined) return leave()
        current = entry.message
        this.held.set(entry.message, entry)
        return { done: false, value: entry.message }
      },
      return: async () => {
        if (current !== undefined) this.settle(current, this.closed ? 'ABANDONED' : 'RECONSUME_LATER')
        current = undefined
        leave()
        this.onLeft()
        return done
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  private settle(message: ReceivedMessage<T>, verdict: Verdict): void {
    this.held.get(message)?.settle(verdict)
    this.held.delete(message)
  }

  private take(signal: AbortSignal | undefined): Promise<Entry<T> | undefined> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const entry = this.ready.shift()
    if (entry !== undefined || this.closed) return Promise.resolve(entry)
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.waiting.splice(this.waiting.indexOf(taker), 1)
        reject(signal?.reason)
      }
      const taker = (found: Entry<T> | undefined) => {
        signal?.removeEventListener('abort', onAbort)
        resolve(found)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.waiting.push(taker)
    })
  }
}
