/** The steps at the end of an event-loop turn, in this order (architecture: a message's life). */
export const phases = ['write', 'answer', 'wake', 'send'] as const
export type Phase = (typeof phases)[number]

/** What a part joined; `arm()` asks for one run in this turn (or the next one, if its phase has passed). */
export interface TurnSlot {
  arm(): void
  leave(): void
}

/**
 * The end of the event-loop turn as an explicit thing. Parts join at start and arm per message, so that the work of
 * all messages read in one turn is done once: one write of the log, one write per connection.
 */
export interface Turn {
  join(phase: Phase, run: () => void): TurnSlot
}
