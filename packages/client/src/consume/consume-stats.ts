import type { ConsumeStatus } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'

const windowMs = 60_000

interface Counts {
  pulled: number
  pullMs: number
  pulls: number
  ok: number
  failed: number
  costMs: number
}

const zero = (): Counts => ({ pulled: 0, pullMs: 0, pulls: 0, ok: 0, failed: 0, costMs: 0 })

/** Counts by topic for operators (307): rates over the last full minute, or since the start. */
export class ConsumeStats {
  private readonly clock: Clock
  private current = new Map<string, Counts>()
  private last = new Map<string, Counts>()
  private lastMs = 0
  private beganMs: number

  constructor(clock: Clock) {
    this.clock = clock
    this.beganMs = clock.monotonic()
  }

  consumed(topic: string, run: { count: number; costMs: number; ok: boolean }): void {
    const counts = this.of(topic)
    counts[run.ok ? 'ok' : 'failed'] += run.count
    counts.costMs += run.costMs
  }

  pulled(topic: string, pull: { count: number; costMs: number }): void {
    const counts = this.of(topic)
    counts.pulled += pull.count
    counts.pullMs += pull.costMs
    counts.pulls++
  }

  /** As 307 answers it. */
  table(): Map<string, ConsumeStatus> {
    this.roll()
    const settled = this.lastMs > 0
    const seconds = (settled ? this.lastMs : Math.max(1, this.clock.monotonic() - this.beganMs)) / 1_000
    const counted = settled ? this.last : this.current
    return new Map([...counted].map(([topic, counts]) => [topic, statusOf(counts, seconds)]))
  }

  private of(topic: string): Counts {
    this.roll()
    let counts = this.current.get(topic)
    if (counts === undefined) {
      counts = zero()
      this.current.set(topic, counts)
    }
    return counts
  }

  private roll(): void {
    const now = this.clock.monotonic()
    if (now - this.beganMs < windowMs) return
    this.last = this.current
    this.lastMs = now - this.beganMs
    this.current = new Map()
    this.beganMs = now
  }
}

function statusOf(counts: Counts, seconds: number): ConsumeStatus {
  return {
    pullRT: counts.pulls === 0 ? 0 : counts.pullMs / counts.pulls,
    pullTPS: counts.pulled / seconds,
    consumeRT: counts.ok + counts.failed === 0 ? 0 : counts.costMs / (counts.ok + counts.failed),
    consumeOKTPS: counts.ok / seconds,
    consumeFailedTPS: counts.failed / seconds,
    consumeFailedMsgs: counts.failed,
  }
}
