export type EventLevel = 'debug' | 'info' | 'warn' | 'error'

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

/** Fans out to subscribers. One that throws does not keep the event from the others; `emit` throws it after them. */
export class EventHub implements Events {
  private readonly listeners = new Set<(event: Event) => void>()

  emit(event: Event): void {
    const failures: unknown[] = []
    for (const listener of this.listeners) {
      try {
        listener(event)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  subscribe(listener: (event: Event) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
}

/** For parts whose events nobody wants. */
export const noEvents: Events = { emit: () => {} }
