import type { Replicas } from '@skua-mq/store'

/** What one connection of a slave adds to the whole. */
export interface SlaveState {
  /** Its address, host:port. */
  readonly slave: string
  /** The slave says that it has everything below this. */
  readonly position: number
  /** False for one that has been silent about what was sent to it: nobody waits for it until it reports again. */
  readonly keepsUp: boolean
}

/**
 * How far the slaves are, all together: any one that has a message suffices, and what was confirmed once stays so when
 * its slave leaves (ha.md 3).
 */
export class SlaveProgress implements Replicas {
  confirmedOffset = 0
  private readonly slaves = new Set<SlaveState>()
  private readonly listeners: (() => void)[] = []
  private readonly falterListeners: (() => void)[] = []
  private readonly logEnd: () => number
  private readonly fallBehindMax: () => number

  /** `fallBehindMax`: haSlaveFallbehindMax, bytes. */
  constructor(logEnd: () => number, fallBehindMax: () => number) {
    this.logEnd = logEnd
    this.fallBehindMax = fallBehindMax
  }

  get available(): boolean {
    const end = this.logEnd()
    for (const slave of this.slaves) if (slave.keepsUp && end - slave.position < this.fallBehindMax()) return true
    return false
  }

  get count(): number {
    return this.slaves.size
  }

  all(): Iterable<SlaveState> {
    return this.slaves
  }

  onConfirmed(run: () => void): void {
    this.listeners.push(run)
  }

  onFaltered(run: () => void): void {
    this.falterListeners.push(run)
  }

  joined(slave: SlaveState): void {
    this.slaves.add(slave)
  }

  left(slave: SlaveState): void {
    if (this.slaves.delete(slave)) this.faltered()
  }

  /** A slave has gone, or does not answer: perhaps nobody is left to be waited for. */
  faltered(): void {
    for (const run of this.falterListeners) run()
  }

  confirm(offset: number): void {
    if (offset <= this.confirmedOffset) return
    this.confirmedOffset = offset
    for (const run of this.listeners) run()
  }
}
