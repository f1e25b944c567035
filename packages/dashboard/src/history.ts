import { brokerFigures, brokerRuntimeInfo, each } from '@skua-mq/admin'
import { every, type Timer } from '@skua-mq/runtime'
import type { Cluster } from './cluster.ts'

/** An hour at a sample every ten seconds. */
const maxSamples = 360
/** Brokers that are sampled; further ones have no chart. */
export const maxSampledBrokers = 64
/** All queues of all groups are looked at for the lag, so this is asked for less often, */
const lagEvery = 3
/** and not at all while a broker takes longer than that. */
const lagPatienceMs = 1_000

/** Figures of all masters together at a moment; null where none tells. */
export interface Sample {
  readonly atMs: number
  readonly inTps: number | null
  readonly outTps: number | null
  /** Of the fullest broker, 0 to 1. */
  readonly disk: number | null
  /** Messages that wait, of all groups; as it was at the last look. */
  readonly lag: number | null
}

/** The last hour, in memory: a ring of samples. */
export class History {
  private readonly cluster: Cluster
  private readonly ring: Sample[] = []
  private timer: Timer | undefined
  private round: Promise<void> | undefined
  private rounds = 0
  private lag: number | null = null
  private lagTookMs = 0

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  samples(): readonly Sample[] {
    return this.ring
  }

  start(everyMs: number): void {
    this.timer = every(this.cluster.session.runtime.clock, everyMs, () => {
      this.round = this.take()
      return this.round
    })
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    await this.round
  }

  /** One sample. A cluster that does not answer is a gap in the chart, and no error. */
  async take(): Promise<void> {
    const { clock } = this.cluster.session.runtime
    try {
      const masters = (await this.cluster.masters()).slice(0, maxSampledBrokers)
      const figures = await each(masters, async ({ address }) =>
        brokerFigures(await brokerRuntimeInfo(this.cluster.session, address).catch(() => ({}))),
      )
      if (this.rounds++ % lagEvery === 0 && this.lagTookMs < lagPatienceMs) await this.takeLag()
      this.add({
        atMs: clock.now(),
        inTps: sum(figures.map(({ putTps }) => putTps)),
        outTps: sum(figures.map(({ getTps }) => getTps)),
        disk: most(figures.map(({ diskRatio }) => diskRatio)),
        lag: this.lag,
      })
    } catch {
      this.add({ atMs: clock.now(), inTps: null, outTps: null, disk: null, lag: null })
    }
  }

  private async takeLag(): Promise<void> {
    const { clock } = this.cluster.session.runtime
    const begun = clock.monotonic()
    const tables = await this.cluster.progress()
    this.lagTookMs = clock.monotonic() - begun
    this.lag = tables.some(({ problem }) => problem === undefined)
      ? tables.reduce((all, { rows }) => all + rows.reduce((lag, { diff }) => lag + Math.max(0, diff), 0), 0)
      : null
  }

  private add(sample: Sample): void {
    this.ring.push(sample)
    if (this.ring.length > maxSamples) this.ring.shift()
  }
}

const known = (values: readonly number[]): number[] => values.filter(value => Number.isFinite(value) && value >= 0)

function sum(values: readonly number[]): number | null {
  const told = known(values)
  return told.length === 0 ? null : told.reduce((a, b) => a + b, 0)
}

function most(values: readonly number[]): number | null {
  const told = known(values)
  return told.length === 0 ? null : Math.max(...told)
}
