import { parseRecallHandle, ResponseCode, recallMessage } from '@skua-mq/protocol'
import { ClientError } from '../error.ts'
import type { BrokerCalls } from '../instance/broker-calls.ts'

export interface RecallCall {
  readonly calls: BrokerCalls
  /** On the wire. */
  readonly group: string
  readonly topic: string
  readonly recallHandle: string
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** Takes a message back at the broker where it waits; returns its id. Errors: ClientError ARGUMENT for a text that is no handle; BROKER. */
export async function recall({ calls, group, topic, recallHandle, timeoutMs, signal }: RecallCall): Promise<string> {
  const brokerName = typeof recallHandle === 'string' ? parseRecallHandle(recallHandle)?.brokerName : undefined
  if (brokerName === undefined)
    throw new ClientError(
      'ARGUMENT',
      `"${recallHandle}" is no recall handle: a send with delayMs or deliverAtMs returns one (result.recallHandle)`,
    )
  const header = { producerGroup: group, topic, recallHandle, bname: brokerName }
  try {
    const reply = await calls.atMaster({ topic, brokerName }, { spec: recallMessage, header, timeoutMs, signal })
    return reply.header.msgId
  } catch (error) {
    if (!(error instanceof ClientError) || error.responseCode !== ResponseCode.requestCodeNotSupported) throw error
    const advice = `broker ${brokerName} cannot take messages back: Skua's can, and RocketMQ's from 5.3.2 on`
    throw new ClientError('BROKER', advice, { cause: error, responseCode: error.responseCode })
  }
}
