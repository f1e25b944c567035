import { PropertyName, type StoredMessage } from '@skua-mq/protocol'
import { checkTimesOf, immunityOf } from './half-message.ts'

export interface CheckSettings {
  readonly transactionTimeOut: number
  readonly transactionCheckMax: number
  /** Milliseconds: a half message that retention would take soon is given up. */
  readonly retentionMs: number
}

/** What a round does with an undecided half message. */
export type HalfFate =
  /** Its own immunity lasts: it is stored again behind the others, which then need not wait for it. */
  | 'keep'
  /** Too young, and so is all behind it. */
  | 'stop'
  /** Its producer is asked. */
  | 'ask'
  /** Asked often enough, or too old. */
  | 'discard'
  /** It was stored again, and its first copy was decided. */
  | 'decided'

/** store.md 8, in its order. Pure: the caller reads and stores. */
export function fateOf(
  message: StoredMessage,
  round: { nowMs: number; settings: CheckSettings; isDecided: boolean },
): HalfFate {
  const { nowMs, settings } = round
  if (round.isDecided) return 'decided'
  if (checkTimesOf(message) >= settings.transactionCheckMax) return 'discard'
  // By both clocks, the producer's and the broker's: a wrong one must not give up what was sent a moment ago.
  if (nowMs - Math.max(message.bornTimestamp, message.storeTimestamp) > settings.retentionMs) return 'discard'
  const immunity = immunityOf(message, settings)
  const ageMs = nowMs - message.bornTimestamp
  // Born in the future, by the producer's clock: nobody can tell its age, so it is asked about.
  if (ageMs < 0 || ageMs >= immunity.ms) return 'ask'
  return immunity.isOwn ? 'keep' : 'stop'
}

/** The offset of the first copy of a half message that was stored again while it was immune. */
export function firstOffsetOf({ properties }: StoredMessage): number | undefined {
  const offset = Number.parseInt(properties.get(PropertyName.transactionPreparedQueueOffset) ?? '', 10)
  return offset >= 0 ? offset : undefined
}
