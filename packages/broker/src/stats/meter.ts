/** What a window of a meter saw: how much, how much a second, and how much at a time. */
export interface Window {
  readonly sum: number
  readonly tps: number
  readonly avgpt: number
}

interface Sample {
  readonly atMs: number
  readonly total: number
  readonly times: number
}

/** The windows of RocketMQ's statistics: samples of the last minute, hour and day. */
const windows = {
  minute: { everyMs: 10_000, samples: 7 },
  hour: { everyMs: 600_000, samples: 7 },
  day: { everyMs: 3_600_000, samples: 25 },
} as const
export type WindowName = keyof typeof windows

/** How often `sample` is to be called. */
export const sampleEveryMs = windows.minute.everyMs

const minute: readonly WindowName[] = ['minute']
const minuteAndHour: readonly WindowName[] = ['minute', 'hour']
const all: readonly WindowName[] = ['minute', 'hour', 'day']

/** Which windows of all meters have their sample at a tick; the first one is 0. */
export function windowsAt(tick: number): readonly WindowName[] {
  if (tick % (windows.day.everyMs / sampleEveryMs) === 0) return all
  return tick % (windows.hour.everyMs / sampleEveryMs) === 0 ? minuteAndHour : minute
}

/**
 * Counts one thing: additions are two sums, and the windows are read out of samples that a timer takes. RocketMQ reads
 * them the same way: what came before the first sample of a window came in the step before it, and the samples of an hour
 * and of a day are taken when the broker's are due, so that a meter that is younger has none.
 */
export class Meter {
  total = 0
  times = 0
  private readonly samples: Record<WindowName, Sample[]> = { minute: [], hour: [], day: [] }

  add(amount: number): void {
    this.total += amount
    this.times++
  }

  sample(nowMs: number, due: readonly WindowName[]): void {
    for (const name of due) {
      const taken = this.samples[name]
      if (taken.length === 0 && this.times > 0) taken.push({ atMs: nowMs - windows[name].everyMs, total: 0, times: 0 })
      taken.push({ atMs: nowMs, total: this.total, times: this.times })
      if (taken.length > windows[name].samples) taken.shift()
    }
  }

  window(name: WindowName): Window {
    const taken = this.samples[name]
    const [first, last] = [taken[0], taken.at(-1)]
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return { sum: 0, tps: 0, avgpt: 0 }
    const sum = last.total - first.total
    const times = last.times - first.times
    return { sum, tps: (sum * 1000) / (last.atMs - first.atMs), avgpt: times === 0 ? 0 : sum / times }
  }

  /**
   * Per second over about `spanMs` up to the last sample: up to 60 s out of the minute, more out of the hour, or of the
   * minute while that is all there is.
   */
  rate(spanMs: number): number {
    const { minute, hour } = this.samples
    const taken = spanMs <= 60_000 || hour.length < 2 ? minute : hour
    const last = taken.at(-1)
    const first = last && taken.find(sample => sample.atMs >= last.atMs - spanMs * 1.05)
    if (last === undefined || first === undefined || last.atMs <= first.atMs) return 0
    return ((last.total - first.total) * 1000) / (last.atMs - first.atMs)
  }

  /** Whether nothing came since the first sample of the day's window. */
  get isIdle(): boolean {
    const first = this.samples.day[0]
    return this.samples.day.length === windows.day.samples && first?.times === this.times
  }
}
