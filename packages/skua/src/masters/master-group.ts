import type { FamilyMember } from './family.ts'
import { KeptAlive, type KeptAliveParts } from './kept-alive.ts'

/** The brokers of a family, each in a process of its own, of which the end of one leaves the others. */
export class MasterGroup {
  private readonly all: readonly KeptAlive[]
  private isEnding = false

  constructor(members: readonly FamilyMember[], parts: KeptAliveParts) {
    this.all = members.map(member => new KeptAlive(member, parts))
  }

  /**
   * Resolves with the line of each start when all are ready. Where one cannot start, all are ended, and it rejects with the reason of
   * the first; with no line, and no error, where `end` was called meanwhile.
   */
  async start(): Promise<readonly string[]> {
    try {
      return await Promise.all(this.all.map(one => one.begin()))
    } catch (error) {
      const wasTold = this.isEnding
      await this.stop()
      if (wasTold) return []
      throw error
    }
  }

  /** Tells all to end. */
  end(): void {
    this.isEnding = true
    for (const one of this.all) one.end()
  }

  /** Resolves when no process is left; tells them to end unless they know. */
  async stop(): Promise<void> {
    if (!this.isEnding) this.end()
    await Promise.all(this.all.map(one => one.ended()))
  }
}
