import type { Address } from '@skua-mq/runtime'
import type { ProtoDraft, ProtoFields, ProtoMessage, ProtoValue } from '../proto/message.ts'

/** Who asks, and until when. */
export interface CallContext {
  readonly remote: Address
  readonly local: Address
  /** The host and port that the client dialled. */
  readonly authority: string
  header(name: string): string | undefined
  /** Monotonic; Infinity where the client set no deadline. */
  readonly deadlineMs: number
  /** Aborted when the client is gone, or its deadline is over. */
  readonly signal: AbortSignal
}

/** Where a method with many answers puts them. */
export interface Answers<T> {
  readonly open: boolean
  /** False: the client is gone. `taken` is told when the connection has it, and never where the client is gone before. */
  send(answer: T, taken?: () => void): boolean
  /** When nothing waits any more: the connection has it, or the client is gone. */
  idle(): Promise<void>
  /** When there is room for more; false where the client is gone. */
  room(): Promise<boolean>
}

/** The other end of a stream that goes both ways. */
export interface Duplex<In, Out> extends Answers<Out> {
  /** Called for each message; what it throws ends the stream. */
  onMessage(listener: (message: In) => void | Promise<void>): void
  onClosed(listener: () => void): void
  /** Ends it as gRPC's OK, or with an error. */
  end(error?: Error): void
}

/** One method of the service: request, answer and what is done. */
export interface Method {
  readonly path: string
  readonly kind: 'unary' | 'server' | 'both'
  readonly request: ProtoMessage<ProtoFields>
  readonly response: ProtoMessage<ProtoFields>
  /** Default: what the server takes at most. */
  readonly maxRequestBytes?: number | undefined
  readonly unary?: (request: never, context: CallContext) => Promise<object>
  readonly server?: (request: never, answers: Answers<object>, context: CallContext) => Promise<void>
  readonly both?: (duplex: Duplex<never, object>, context: CallContext) => void
}

const service = '/apache.rocketmq.v2.MessagingService/'

interface Types<Q extends ProtoFields, A extends ProtoFields> {
  readonly request: ProtoMessage<Q>
  readonly response: ProtoMessage<A>
  /** Whether the request may have bodies of messages. */
  readonly isLarge?: boolean
}

/** Longest request that has no bodies: names, handles, settings. */
const maxSmallBytes = 1024 * 1024

const method = <Q extends ProtoFields, A extends ProtoFields>(
  name: string,
  { request, response, isLarge = false }: Types<Q, A>,
): Pick<Method, 'path' | 'request' | 'response' | 'maxRequestBytes'> => ({
  maxRequestBytes: isLarge ? undefined : maxSmallBytes,
  path: `${service}${name}`,
  request: request as never,
  response: response as never,
})

/** A request with one answer. */
export const unary = <Q extends ProtoFields, A extends ProtoFields>(
  name: string,
  types: Types<Q, A>,
  answer: (request: ProtoValue<Q>, context: CallContext) => Promise<ProtoDraft<A>>,
): Method => ({ ...method(name, types), kind: 'unary', unary: answer as never })

/** A request with any number of answers. */
export const serverStream = <Q extends ProtoFields, A extends ProtoFields>(
  name: string,
  types: Types<Q, A>,
  answer: (request: ProtoValue<Q>, answers: Answers<ProtoDraft<A>>, context: CallContext) => Promise<void>,
): Method => ({ ...method(name, types), kind: 'server', server: answer as never })

/** Messages both ways. */
export const bothWays = <Q extends ProtoFields, A extends ProtoFields>(
  name: string,
  types: Types<Q, A>,
  take: (duplex: Duplex<ProtoValue<Q>, ProtoDraft<A>>, context: CallContext) => void,
): Method => ({ ...method(name, types), kind: 'both', both: take as never })
