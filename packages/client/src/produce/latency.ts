/** From this latency on (ms), a broker is left out for so long (ms); client.md 4. */
export type LatencyTable = readonly (readonly [latencyMs: number, avoidMs: number])[]

export const latencyTable49: LatencyTable = [
  [50, 0],
  [100, 0],
  [550, 30_000],
  [1_000, 60_000],
  [2_000, 120_000],
  [3_000, 180_000],
  [15_000, 600_000],
]

export const latencyTable5: LatencyTable = [
  [50, 0],
  [100, 0],
  [550, 2_000],
  [1_800, 5_000],
  [3_000, 6_000],
  [5_000, 10_000],
  [15_000, 30_000],
]

/** How long a slow or broken broker is left out. */
export interface LatencyRules {
  readonly table: LatencyTable
  /** A broker that failed counts as this slow. */
  readonly isolationMs: number
}

/** Java 4.9's rules: times from 550 ms on, a failed broker is left out for 10 minutes. */
export const latencyRules49: LatencyRules = { table: latencyTable49, isolationMs: 30_000 }
/** Java 5's rules: a failed broker is left out for 10 seconds. */
export const latencyRules5: LatencyRules = { table: latencyTable5, isolationMs: 10_000 }

interface Fault {
  latencyMs: number
  availableAtMs: number
}

/** Which brokers are slow or broken, and until when they are left out. Times come from outside. */
export class LatencyFaults {
  private readonly rules: LatencyRules
  private readonly faults = new Map<string, Fault>()

  constructor(rules: LatencyRules = latencyRules49) {
    this.rules = rules
  }

  /** A send to this broker took so long; `failed` ones count as isolated. */
  observe(brokerName: string, sent: { latencyMs: number; failed: boolean; nowMs: number }): void {
    const latencyMs = sent.failed ? this.rules.isolationMs : sent.latencyMs
    this.faults.set(brokerName, { latencyMs: sent.latencyMs, availableAtMs: sent.nowMs + this.avoidMs(latencyMs) })
  }

  available(brokerName: string, nowMs: number): boolean {
    const fault = this.faults.get(brokerName)
    return fault === undefined || nowMs >= fault.availableAtMs
  }

  /** The brokers from best to worst: available ones, then by latency, then by when they come back. */
  ranked(brokerNames: readonly string[], nowMs: number): string[] {
    const key = (name: string) => {
      const fault = this.faults.get(name)
      return [this.available(name, nowMs) ? 0 : 1, fault?.latencyMs ?? 0, fault?.availableAtMs ?? 0]
    }
    return [...brokerNames].sort((a, b) => {
      const [x, y] = [key(a), key(b)]
      return x[0]! - y[0]! || x[1]! - y[1]! || x[2]! - y[2]!
    })
  }

  private avoidMs(latencyMs: number): number {
    return this.rules.table.findLast(([from]) => latencyMs >= from)?.[1] ?? 0
  }
}
