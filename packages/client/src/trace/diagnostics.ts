import { channel } from 'node:diagnostics_channel'
import type { ClientEventName } from '../events.ts'
import type { ReceivedMessage } from '../message/received.ts'
import type { SendResult } from '../produce/result.ts'

/** `skua:client:event`: what `client.on` tells, of all clients of the process. */
export interface EventDiagnostic {
  readonly name: ClientEventName
  readonly level: string
  readonly fields: object
}

/** `skua:client:send`: a send that is over. */
export interface SendDiagnostic {
  readonly topic: string
  readonly group: string
  readonly msgId: string
  readonly messages: number
  readonly bodyBytes: number
  readonly durationMs: number
  readonly result: SendResult | undefined
  readonly error: unknown
}

/** `skua:client:consume`: a run of a handler that is over. */
export interface ConsumeDiagnostic {
  readonly topic: string
  readonly group: string
  readonly messages: readonly ReceivedMessage<unknown>[]
  readonly durationMs: number
  readonly status: string
  readonly error: unknown
}

/** Channels of `node:diagnostics_channel`: nothing is made for them while nobody subscribes. */
export const eventChannel = channel('skua:client:event')
export const sendChannel = channel('skua:client:send')
export const consumeChannel = channel('skua:client:consume')
