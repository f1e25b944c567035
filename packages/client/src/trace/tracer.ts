import type { ReceivedMessage } from '../message/received.ts'
import type { SendResult } from '../produce/result.ts'

/** What a tracer learns of a send. It may add properties, to carry its context to the consumer. */
export interface TracedSend {
  readonly topic: string
  readonly group: string
  readonly properties: Map<string, string>
  readonly bodyBytes: number
  readonly messages: number
}

/** What a tracer learns of a consumption. */
export interface TracedConsume {
  readonly topic: string
  readonly group: string
  readonly messages: readonly Pick<ReceivedMessage, 'msgId' | 'properties' | 'queue' | 'body'>[]
}

/** Sees each send and each run of a handler; spans of OpenTelemetry are one implementation. */
export interface Tracer {
  /** Called before the send; the answer is called once when it is over. */
  send(send: TracedSend): (end: { result?: SendResult | undefined; error?: unknown }) => void
  /** Runs the handler, in the tracer's context. */
  consume<R>(consume: TracedConsume, run: () => Promise<R>): Promise<R>
}
