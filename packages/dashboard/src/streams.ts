import type { User } from './endpoint.ts'
import { Problem } from './problem.ts'

/** Streams that are open at a time, unless the options say something else. */
export const maxStreams = 32
/** Downloads among them: each holds a message as it is written, and waits for its reader. */
export const maxDownloads = 4

export interface StreamLimits {
  readonly maxStreams?: number | undefined
  readonly maxStreamsPerUser?: number | undefined
}

/** Who has streams open: nobody takes those of others. */
export class Streams {
  /** In sum, and of one user. */
  readonly most: number
  readonly mostOfOne: number
  private readonly byUser = new Map<string, number>()
  private all = 0
  private downloads = 0

  /** Throws for numbers that are none. */
  constructor({ maxStreams: most = maxStreams, maxStreamsPerUser }: StreamLimits) {
    this.most = most
    this.mostOfOne = maxStreamsPerUser ?? Math.max(1, Math.ceil(most / 2))
    for (const [name, value] of [
      ['maxStreams', this.most],
      ['maxStreamsPerUser', this.mostOfOne],
    ] as const)
      if (!Number.isSafeInteger(value) || value < 1)
        throw new Error(`${name} is ${value}: a whole number from 1 is wanted`)
  }

  /** One more; returns what ends it. Errors: BUSY, which says which bound it is and how it is set. */
  begin({ name }: User, isDownload: boolean): () => void {
    const own = this.byUser.get(name) ?? 0
    if (own >= this.mostOfOne)
      throw busy(`${name} has ${own} streams (live tails, searches, downloads) open`, 'maxStreamsPerUser')
    if (this.all >= this.most) throw busy(`${this.all} streams are open, of all users together`, 'maxStreams')
    if (isDownload && this.downloads >= maxDownloads)
      throw new Problem(503, 'BUSY', `${maxDownloads} downloads run, which is the most: try again when one has ended`)
    this.byUser.set(name, own + 1)
    this.all++
    if (isDownload) this.downloads++
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.all--
      if (isDownload) this.downloads--
      const left = this.byUser.get(name)! - 1
      if (left === 0) this.byUser.delete(name)
      else this.byUser.set(name, left)
    }
  }
}

const flags = { maxStreams: '--max-streams', maxStreamsPerUser: '--max-streams-per-user' } as const

const busy = (what: string, setting: keyof typeof flags): Problem =>
  new Problem(503, 'BUSY', `${what}, which is the most: close some tabs, or raise ${setting} (${flags[setting]})`)
