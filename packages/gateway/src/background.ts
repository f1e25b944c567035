/** Work that goes on when nobody waits for its answer any more; a stop waits for it. Whoever begins it bounds it. */
export class Background {
  private readonly running = new Set<Promise<void>>()

  /** Resolves as the work does, and never throws: what goes wrong is made good by time. */
  run(work: () => Promise<unknown>): Promise<void> {
    const done: Promise<void> = work()
      .then(
        () => {},
        () => {},
      )
      .finally(() => this.running.delete(done))
    this.running.add(done)
    return done
  }

  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running)
  }
}
