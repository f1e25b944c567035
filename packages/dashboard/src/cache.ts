import type { Clock } from '@skua-mq/runtime'

/** Entries that are kept; the oldest one goes first. */
const maxEntries = 64

/**
 * Answers of brokers that all pages share for a moment: however many tabs are open, a broker is asked the same once. What
 * fails is not kept. Nothing is asked that nobody wants.
 */
export class SharedAnswers {
  private readonly clock: Clock
  private readonly entries = new Map<string, { readonly untilMs: number; readonly answer: Promise<unknown> }>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** The answer of this name, at most `keepMs` old and at least as long as it took to get. */
  get<T>(name: string, keepMs: number, ask: () => Promise<T>): Promise<T> {
    const kept = this.entries.get(name)
    if (kept !== undefined && this.clock.monotonic() < kept.untilMs) return kept.answer as Promise<T>
    const begun = this.clock.monotonic()
    const answer = ask()
    const keep = (untilMs: number) => {
      this.entries.delete(name)
      this.entries.set(name, { untilMs, answer })
      if (this.entries.size > maxEntries) this.entries.delete(this.entries.keys().next().value!)
    }
    const isCurrent = () => this.entries.get(name)?.answer === answer
    keep(Number.POSITIVE_INFINITY)
    answer.then(
      () => {
        const tookMs = this.clock.monotonic() - begun
        if (isCurrent()) keep(this.clock.monotonic() + Math.max(keepMs, tookMs))
      },
      () => {
        if (isCurrent()) this.entries.delete(name)
      },
    )
    return answer
  }

  /** After a change everybody is to see what is. */
  clear(): void {
    this.entries.clear()
  }
}
