import { topicListSlices } from '@skua-mq/protocol'
import { LargeAnswer } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'

/** Lists that are kept: those of all topics, and of some clusters. */
const maxKept = 16
/** Longest name of one that is kept: a peer says it, and clusters have shorter ones. */
const longestName = 262

/** One list: its bytes, and of which version of the routes they are at least. */
interface Kept {
  readonly answer: LargeAnswer
  bytes?: Uint8Array
  version: number
  /** Who waits for it. */
  waiting: number
}

/**
 * Encoded lists of topics, kept for as long as the routes do not change: a list of 20,000 topics is five milliseconds of
 * work, and may be asked for hundreds of times in one packet. One of half a million is made over many turns.
 */
export class ListCache {
  private readonly kept = new Map<string, Kept>()
  private readonly clock: Pick<Clock, 'after'>
  private readonly version: () => number

  constructor(clock: Pick<Clock, 'after'>, version: () => number) {
    this.clock = clock
    this.version = version
  }

  /** Rejects with RangeError where so many lists are being made that there is no room for one more. */
  async get(name: string, topics: () => Iterable<string>): Promise<Uint8Array> {
    const list = this.listOf(name, topics)
    if (list.bytes !== undefined && list.version === this.version()) return list.bytes
    list.waiting++
    try {
      return await list.answer.bytes()
    } finally {
      list.waiting--
    }
  }

  private listOf(name: string, topics: () => Iterable<string>): Kept {
    const known = this.kept.get(name)
    if (known !== undefined) return known
    if (name.length <= longestName && this.kept.size >= maxKept) this.makeRoom()
    const list = this.made(topics)
    if (name.length <= longestName) this.kept.set(name, list)
    return list
  }

  private made(topics: () => Iterable<string>): Kept {
    const { clock, version } = this
    const list: Kept = {
      version: -1,
      waiting: 0,
      answer: new LargeAnswer(clock, function* () {
        const begun = version()
        const parts: Buffer[] = []
        for (const slice of topicListSlices(topics())) {
          parts.push(slice)
          yield slice
        }
        list.bytes = Buffer.concat(parts)
        list.version = begun
      }),
    }
    return list
  }

  /** What is being made stays, so that nobody has the same list made many times at once. */
  private makeRoom(): void {
    for (const [name, { waiting }] of this.kept) {
      if (waiting > 0) continue
      this.kept.delete(name)
      return
    }
    throw new RangeError(`${maxKept} lists of topics are being made already`)
  }
}
