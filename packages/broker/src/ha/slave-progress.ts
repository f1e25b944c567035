import type { Replicas } from '@skua-mq/store'

/** What one connection of a slave adds to the whole. */
export interface SlaveState {
  /** Its address, host:port. */
  readonly slave: string
  /** The slave says that it has everything below this. */
  readonly position: number
  /** It has said so of this on its connection, where it was sent before; whoever connects can claim the rest. */
  readonly confirmedTo: number
  /** False for one that has been silent about what was sent to it: nobody waits for it until it reports again. */
  readonly keepsUp: boolean
  /** Where the next byte that is sent to it stands. */
  readonly sentTo: number
  /** Bytes of the log that were sent in the last second. */
  readonly bytesPerSecond: number
}

/**
 * How far the slaves are, all together: any one that has a message suffices, or as many as inSyncReplicas asks for beside
 * the master; what was confirmed once stays so when its slave leaves (ha.md 3).
 */
export class SlaveProgress implements Replicas {
  confirmedOffset = 0
  private readonly slaves = new Set<SlaveState>()
  /** Under an election: those who must have a message, each of them; and how many of whom nobody hears. */
  private required: { readonly slaves: ReadonlySet<SlaveState>; readonly missing: number } | undefined
  private readonly listeners: (() => void)[] = []
  private readonly falterListeners: (() => void)[] = []
  private readonly logEnd: () => number
  private readonly fallBehindMax: () => number
  private readonly copies: () => number

  /** `fallBehindMax`: haSlaveFallbehindMax, bytes. `copies`: inSyncReplicas, the master's included. */
  constructor(logEnd: () => number, fallBehindMax: () => number, copies: () => number = () => 1) {
    this.logEnd = logEnd
    this.fallBehindMax = fallBehindMax
    this.copies = copies
  }

  /** So many slaves have to have a message. */
  private get wanted(): number {
    return Math.max(1, this.copies() - 1)
  }

  /** Slaves that answer. */
  get answering(): number {
    let count = 0
    for (const slave of this.slaves) if (slave.keepsUp) count++
    return count
  }

  get available(): boolean {
    if (this.required !== undefined) return this.hasRequired()
    let missing = this.wanted
    for (const slave of this.slaves) if (this.keepsPace(slave) && --missing === 0) return true
    return false
  }

  /** Whether it counts as a copy of the log. */
  keepsPace({ keepsUp, position }: SlaveState): boolean {
    return keepsUp && this.logEnd() - position < this.fallBehindMax()
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

  /** A slave has everything below `offset`; it is among those that have joined. */
  confirm(offset: number): void {
    if (offset <= this.confirmedOffset) return
    this.confirmedUpTo(this.required === undefined ? this.confirmedByWanted(offset) : this.confirmedByRequired())
  }

  /** Under an election: nothing is acknowledged that one of these has not, and nothing at all while some are missing. */
  require(slaves: ReadonlySet<SlaveState>, missing: number): void {
    const wasAvailable = this.available
    this.required = { slaves, missing }
    this.confirmedUpTo(this.confirmedByRequired())
    if (wasAvailable && !this.available) this.faltered()
  }

  /** Whoever of them is missing is waited for, or no longer required soon: it pays to wait where one is there. */
  private hasRequired(): boolean {
    for (const slave of this.required!.slaves) if (this.slaves.has(slave) && this.keepsPace(slave)) return true
    return false
  }

  private confirmedByRequired(): number {
    const { slaves, missing } = this.required!
    if (missing > 0 || slaves.size === 0) return 0
    return Math.min(...[...slaves].map(({ confirmedTo }) => confirmedTo))
  }

  private confirmedByWanted(offset: number): number {
    const { wanted } = this
    return wanted === 1 ? offset : this.confirmedBy(wanted)
  }

  private confirmedUpTo(confirmed: number): void {
    if (confirmed <= this.confirmedOffset) return
    this.confirmedOffset = confirmed
    for (const run of this.listeners) run()
  }

  /** What so many of them have. */
  private confirmedBy(count: number): number {
    const ends = [...this.slaves].map(({ confirmedTo }) => confirmedTo).sort((a, b) => b - a)
    return ends[count - 1] ?? 0
  }
}
