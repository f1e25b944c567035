import type { BodyCodec } from '../message/message.ts'
import { clientRules, type OptionRules } from '../option-rules.ts'
import { bounded, type ClientOptions } from '../options.ts'

/** Times in ms. */
export interface SimpleConsumerOptions<T = undefined> extends ClientOptions {
  readonly group: string
  /** Makes `message.value` of the body. What it cannot read is left out and comes again, until it is a dead letter. */
  readonly codec?: BodyCodec<T> | undefined
  /** Where a group begins that was never here. Default CONSUME_FROM_LAST_OFFSET; of a young topic all is taken all the same. */
  readonly consumeFromWhere?: 'CONSUME_FROM_LAST_OFFSET' | 'CONSUME_FROM_FIRST_OFFSET' | undefined
  /** How long `receive` waits for a message. Default 15000; from 0 to 30000. */
  readonly awaitMs?: number | undefined
  /** How long messages belong to whoever received them. Default 60000; from 5000 to 43200000. */
  readonly invisibleMs?: number | undefined
  /** Most messages of a `receive`. Default 16; from 1 to 32. */
  readonly maxNums?: number | undefined
}

/** What `SimpleConsumer.receive` takes in place of the consumer's own settings. */
export interface ReceiveOptions {
  readonly awaitMs?: number | undefined
  readonly invisibleMs?: number | undefined
  readonly maxNums?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export const simpleRules: OptionRules<SimpleConsumerOptions<never>> = {
  ...clientRules,
  group: 'text',
  codec: 'codec',
  consumeFromWhere: ['CONSUME_FROM_LAST_OFFSET', 'CONSUME_FROM_FIRST_OFFSET'],
  awaitMs: 'number',
  invisibleMs: 'number',
  maxNums: 'number',
}

export interface ReceiveSettings {
  readonly awaitMs: number
  readonly invisibleMs: number
  readonly maxNums: number
}

/** Throws ClientError ARGUMENT. */
export function receiveSettings(
  { awaitMs, invisibleMs, maxNums }: ReceiveOptions,
  own?: ReceiveSettings,
): ReceiveSettings {
  return {
    awaitMs: bounded('awaitMs', awaitMs ?? own?.awaitMs ?? 15_000, { min: 0, max: 30_000 }),
    invisibleMs: invisibleTime(invisibleMs ?? own?.invisibleMs ?? 60_000),
    maxNums: bounded('maxNums', maxNums ?? own?.maxNums ?? 16, { min: 1, max: 32 }),
  }
}

/** Throws ClientError ARGUMENT. */
export const invisibleTime = (ms: number): number => bounded('invisibleMs', ms, { min: 5000, max: 43_200_000 })
