/** From the least to the most urgent one. */
export const eventLevels = ['debug', 'info', 'warn', 'error'] as const
export type EventLevel = (typeof eventLevels)[number]

/** Something that happens rarely and is worth telling. A log line is its name and its fields. */
export interface Event {
  readonly name: string
  readonly level: EventLevel
  readonly fields: Readonly<Record<string, unknown>>
}

/** Where parts tell what happened. Logs, traces and tests subscribe; parts only emit. */
export interface Events {
  emit(event: Event): void
}

/** Declares an event once, with the type of its fields: `const topicCreated = defineEvent<{ topic: string }>('topic created', 'info')`. */
export function defineEvent<F extends Record<string, unknown>>(name: string, level: EventLevel) {
  const make = (fields: F): Event => ({ name, level, fields })
  return Object.assign(make, { eventName: name, level })
}

/** What became of a subscriber that threw: told to the others, in place of the one who must not be disturbed. */
export const listenerFailed = defineEvent<{ event: string; error: unknown }>('listener failed', 'error')

/**
 * Fans out to subscribers. Parts emit in the middle of noting a fault, so `emit` never throws: what a subscriber throws is
 * told to the other ones, and warned of in the process when there is no other who takes it.
 */
export class EventHub implements Events {
  private readonly listeners = new Set<(event: Event) => void>()

  emit(event: Event): void {
    for (const listener of this.listeners) {
      try {
        listener(event)
      } catch (error) {
        this.tellFailure(listener, listenerFailed({ event: event.name, error }))
      }
    }
  }

  subscribe(listener: (event: Event) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** A subscriber that fails at this, too, is not told of it: two broken ones would tell each other for ever. */
  private tellFailure(failed: (event: Event) => void, event: Event): void {
    let heard = false
    for (const listener of this.listeners) {
      if (listener === failed) continue
      try {
        listener(event)
        heard = true
      } catch {
        // Its own failure is told, or warned of, for the event that brought it here.
      }
    }
    if (!heard) process.emitWarning(`a subscriber of events failed at "${event.fields.event}": ${event.fields.error}`)
  }
}

/** For parts whose events nobody wants. */
export const noEvents: Events = { emit: () => {} }
