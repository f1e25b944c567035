import type { Clock } from '@skua-mq/runtime'

const secondMs = 1000

/** Bytes of the last whole second in which some passed. */
export class TransferRate {
  private readonly clock: Pick<Clock, 'monotonic'>
  private beganMs: number
  private current = 0
  private last = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock
    this.beganMs = clock.monotonic()
  }

  add(bytes: number): void {
    this.turn()
    this.current += bytes
  }

  get bytesPerSecond(): number {
    this.turn()
    return this.last
  }

  private turn(): void {
    const now = this.clock.monotonic()
    const passedMs = now - this.beganMs
    if (passedMs < secondMs) return
    this.last = passedMs < 2 * secondMs ? this.current : 0
    this.current = 0
    this.beganMs = now - (passedMs % secondMs)
  }
}
