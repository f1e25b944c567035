import type { TracedConsume, TracedSend, Tracer } from '@skua-mq/client'
import type { Clock } from '@skua-mq/runtime'
import type { Quiet } from '../clock/quiet.ts'

/** Runs of handlers that are remembered; the oldest ones go. */
const maxRemembered = 100_000

/** A message that was handed to a handler of one of the kit's clients. */
export interface Delivery {
  readonly group: string
  readonly topic: string
  readonly msgId: string
  readonly body: Buffer
  readonly properties: ReadonlyMap<string, string>
  readonly queueId: number
  readonly atMs: number
  /** `running` until the handler has ended; `failed` where it threw. */
  outcome: 'running' | 'done' | 'failed'
  error?: unknown
}

/** Writes down what handlers get, and tells who is quiet of those that run. */
export class Ledger {
  private readonly clock: Pick<Clock, 'now'>
  private readonly quiet: Quiet
  private entries: Delivery[] = []
  readonly tracer: Tracer

  constructor(clock: Pick<Clock, 'now'>, quiet: Quiet) {
    this.clock = clock
    this.quiet = quiet
    this.tracer = {
      send: (_send: TracedSend) => () => {},
      consume: (consume, run) => this.consume(consume, run),
    }
  }

  /** In the order in which handlers were called. */
  get deliveries(): readonly Delivery[] {
    return this.entries
  }

  forget(): void {
    this.entries = []
  }

  private async consume<R>({ topic, group, messages }: TracedConsume, run: () => Promise<R>): Promise<R> {
    const atMs = this.clock.now()
    const entries = messages.map(
      ({ msgId, body, properties, queue }): Delivery => ({
        ...{ group, topic, msgId, atMs, properties, outcome: 'running' },
        body: body as Buffer,
        queueId: queue.queueId,
      }),
    )
    this.entries.push(...entries)
    if (this.entries.length > maxRemembered) this.entries.splice(0, this.entries.length - maxRemembered)
    const handling = this.quiet.handling(group, `${topic} ${messages.map(({ msgId }) => msgId).join(' ')}`)
    try {
      const result = await run()
      for (const entry of entries) entry.outcome = outcomeOf(result)
      return result
    } catch (error) {
      for (const entry of entries) Object.assign(entry, { outcome: 'failed', error })
      throw error
    } finally {
      handling.end()
    }
  }
}

/** A handler may also say that it wants the message later. */
function outcomeOf(result: unknown): 'done' | 'failed' {
  const status = typeof result === 'object' && result !== null && 'status' in result ? result.status : result
  const later = ['RECONSUME_LATER', 'SUSPEND_CURRENT_QUEUE_A_MOMENT', 'ROLLBACK', 'ABANDONED']
  return later.includes(status as string) ? 'failed' : 'done'
}
