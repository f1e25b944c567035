import type { ReceivedMessage } from './received.ts'

/** Whom a message tells what became of it. */
export interface Settlement {
  ack(): Promise<void>
  /** `delayMs`: until it comes again; undefined: as the broker does it. */
  nack(delayMs: number | undefined): Promise<void>
}

const settlements = new WeakMap<ReceivedMessage<unknown>, Settlement>()

/** From now on `message.ack` and `message.nack` tell this one. */
export function settleBy(message: ReceivedMessage<unknown>, settlement: Settlement): void {
  settlements.set(message, settlement)
}

export const settlementOf = (message: ReceivedMessage<unknown>): Settlement | undefined => settlements.get(message)
