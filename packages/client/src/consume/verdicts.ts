import type { ReceivedMessage } from '../message/received.ts'
import { settleBy } from '../message/settlement.ts'

/** Milliseconds of RocketMQ's delay levels, from level 1 on (store.md 7.1). */
const levelsMs = [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1_200, 1_800, 3_600, 7_200].map(
  s => s * 1_000,
)

/** The shortest level that is not shorter; beyond two hours the last one. */
export function levelFor(delayMs: number): number {
  const at = levelsMs.findIndex(ms => ms >= delayMs)
  return at < 0 ? levelsMs.length : at + 1
}

/** How long messages of a level wait; beyond the last one, as it. */
export const levelMs = (level: number): number => levelsMs[Math.min(level, levelsMs.length) - 1]!

/** What a handler or a loop has said of one message by `ack` and `nack`. */
export type Verdict = { readonly said: 'ack' } | { readonly said: 'nack'; readonly delayMs: number | undefined }

const verdicts = new WeakMap<ReceivedMessage<unknown>, Verdict>()

export const verdictOf = (message: ReceivedMessage<unknown>): Verdict | undefined => verdicts.get(message)

export function say(message: ReceivedMessage<unknown>, verdict: Verdict): void {
  verdicts.set(message, verdict)
}

/** Before a run of the handler: nothing is said yet, and what is said counts when the handler has returned. */
export function beginVerdicts(messages: readonly ReceivedMessage<unknown>[]): void {
  for (const message of messages) {
    verdicts.delete(message)
    settleBy(message, {
      ack: async () => say(message, { said: 'ack' }),
      nack: async delayMs => say(message, { said: 'nack', delayMs }),
    })
  }
}
