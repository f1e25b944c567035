import type { Replicas } from '@skua-mq/store'

/**
 * How far the slaves are, all together: any one that has a message suffices, and what was confirmed once stays so when
 * its slave leaves (ha.md 3).
 */
export class SlaveProgress implements Replicas {
  confirmedOffset = 0
  private connections = 0
  private readonly listeners: (() => void)[] = []
  private readonly logEnd: () => number
  private readonly fallBehindMax: number

  /** `fallBehindMax`: haSlaveFallbehindMax, bytes. */
  constructor(logEnd: () => number, fallBehindMax: number) {
    this.logEnd = logEnd
    this.fallBehindMax = fallBehindMax
  }

  get available(): boolean {
    return this.connections > 0 && this.logEnd() - this.confirmedOffset < this.fallBehindMax
  }

  onConfirmed(run: () => void): void {
    this.listeners.push(run)
  }

  joined(): void {
    this.connections++
  }

  left(): void {
    this.connections--
  }

  confirm(offset: number): void {
    if (offset <= this.confirmedOffset) return
    this.confirmedOffset = offset
    for (const run of this.listeners) run()
  }
}
