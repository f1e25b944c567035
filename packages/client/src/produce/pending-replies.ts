import {
  type HeaderOf,
  isCompressed,
  type Properties,
  PropertyName,
  parseProperties,
  type pushReplyMessageToClient,
} from '@skua-mq/protocol'
import { type Clock, every, type Timer } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'
import { decompressBody } from '../message/compression.ts'

/** Requests of one instance that wait for an answer. */
const maxPendingReplies = 65_536
const scanMs = 1_000

/** The answer of a request-reply. */
export interface ReplyMessage<T = undefined> {
  /** What the producer's codec made of the body; undefined without one. */
  readonly value: T
  readonly topic: string
  readonly body: Buffer
  readonly properties: Properties
  /** `host:port` of the replier. */
  readonly bornHost: string
  text(): string
}

interface Waiting {
  readonly deadlineMs: number
  readonly ttlMs: number
  resolve(reply: ReplyMessage): void
  reject(error: Error): void
  /** Neither. */
  forget(): void
}

/** Who waits for which correlation id (remoting.md 14.7); a scan each second finds those whose time is over. */
export class PendingReplies {
  private readonly clock: Clock
  private readonly waiting = new Map<string, Waiting>()
  private timer: Timer | undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Errors: ClientError TIMEOUT or LIMIT; the signal's reason. */
  wait(correlationId: string, ttlMs: number, signal?: AbortSignal): Promise<ReplyMessage> {
    if (this.waiting.size >= maxPendingReplies) {
      return Promise.reject(new ClientError('LIMIT', `${maxPendingReplies} requests wait for their replies already`))
    }
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.waiting.delete(correlationId)
        reject(signal?.reason)
      }
      const done = () => signal?.removeEventListener('abort', onAbort)
      signal?.addEventListener('abort', onAbort, { once: true })
      const deadlineMs = this.clock.monotonic() + ttlMs
      const settled =
        <A>(settle: (value: A) => void) =>
        (value: A) => {
          done()
          settle(value)
        }
      const waiting = { deadlineMs, ttlMs, resolve: settled(resolve), reject: settled(reject), forget: done }
      this.waiting.set(correlationId, waiting)
      this.timer ??= every(this.clock, scanMs, () => this.scan(), 0)
    })
  }

  /** The request could not be sent: nobody needs to wait. */
  forget(correlationId: string): void {
    this.waiting.get(correlationId)?.forget()
    this.waiting.delete(correlationId)
  }

  /** A reply came; false when nobody waits for it. Who waits for one that cannot be read is told so. */
  settle(header: HeaderOf<typeof pushReplyMessageToClient>, bytes: Uint8Array): boolean {
    const properties = parseProperties(header.properties ?? '')
    const id = properties.get(PropertyName.correlationId) ?? ''
    const waiting = this.waiting.get(id)
    if (waiting === undefined) return false
    this.waiting.delete(id)
    properties.set(PropertyName.arriveTime, String(this.clock.now()))
    let body: Buffer
    try {
      const plain = isCompressed(header.sysFlag) ? decompressBody(bytes, header.sysFlag) : bytes
      body = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength)
    } catch (error) {
      waiting.reject(error as Error)
      return true
    }
    waiting.resolve({
      value: undefined,
      topic: header.topic,
      body,
      properties,
      bornHost: header.bornHost,
      text: () => body.toString('utf8'),
    })
    return true
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = undefined
    const all = [...this.waiting.values()]
    this.waiting.clear()
    for (const waiting of all) waiting.reject(new ClientError('STATE', 'the producer was closed before the reply came'))
  }

  private scan(): void {
    const now = this.clock.monotonic()
    for (const [id, waiting] of this.waiting) {
      if (waiting.deadlineMs > now) continue
      this.waiting.delete(id)
      const message = `no reply within ${waiting.ttlMs} ms: does a consumer of the topic reply?`
      waiting.reject(new ClientError('TIMEOUT', message, { retriable: true }))
    }
    if (this.waiting.size > 0) return
    this.timer?.cancel()
    this.timer = undefined
  }
}
